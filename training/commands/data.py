"""Commands that make training data and draw them."""

from pathlib import Path
from typing import Literal

from PIL import Image
from safetensors.torch import save_file
from tyro.conf import Positional

from training.commands.checks import check_at_least_one
from training.data.batch_picture import batch_picture
from training.data.corpus import Corpus, photographs
from training.data.fluorescence import HELD_OUT, KINDS, SPECIMENS
from training.data.lens_bank import read_lens_bank
from training.data.lenses import BankLens, LensSource
from training.data.micrograph import micrograph
from training.data.microscopy_renderer import MicroscopyRenderer, SpecimenOptions
from training.data.pair_scenes import PairScenes
from training.data.pairs import find_pairs
from training.data.photo_pack import write_photo_pack
from training.data.pool import Pool, join_pools, write_pool
from training.data.random_fields import LEAST_CELLS
from training.data.random_lenses import RandomLenses
from training.data.random_microscopes import FINEST_PIXEL, RandomMicroscopes
from training.data.reference_lens import reference_bank
from training.data.renderer import Renderer, SceneOptions
from training.data.rng import SampleRNG
from training.data.sensor import SensorOptions, photograph
from training.data.source import Source
from training.data.traced_lenses import LensBank, MixedLenses
from training.errors import TrainingError


def render(
    photos: Positional[Path],
    out: Positional[Path],
    count: int = 8000,
    size: int = 144,
    layers: int = 3,
    min_radius: float = 0.7,
    max_radius: float = 22.0,
    fluorescent_share: float = 0.1,
    faded_share: float = 0.0,
    gritty_share: float = 0.0,
    least_cells: float = LEAST_CELLS,
    radius_of: Literal["blur", "disparity"] = "blur",
    lens: str = "random",
    prescriptions: Path | None = None,
    traced_share: float = 0.5,
    seed: int = 0,
    held_out: bool = False,
    device: str = "cpu",
) -> None:
    """Render dual-pixel scenes of known blur from sharp photographs.

    Parameters
    ----------
    photos : Path
        Folder of sharp photographs.
    out : Path
        File of scenes to write (.npy).
    count : int
        Number of scenes.
    size : int
        Side of a scene in pixels.
    layers : int
        Number of layers, which hide each other.
    min_radius : float
        Smallest value of a scene's largest radius, in px.
    max_radius : float
        Largest radius, in px.
    fluorescent_share : float
        Share of fluorescent scenes.
    faded_share : float
        Share of layers with places without texture.
    gritty_share : float
        Share of layers with grit.
    least_cells : float
        Smallest number of blobs along a side.
    radius_of : {"blur", "disparity"}
        Whether radii measure blur, or disparity, which two views show.
    lens : str
        random, or the .safetensors file of a kernel bank.
    prescriptions : Path
        Folder of prescriptions of real lenses (.json), whose blur varies over the field.
    traced_share : float
        Share of scenes blurred by one of these lenses.
    seed : int
        Seed; the same one gives the same result.
    held_out : bool
        Use the photographs kept for evaluation.
    device : str
        Device that renders: cpu, cuda, ...
    """
    check_at_least_one("layers", layers)
    renderer = Renderer(
        Corpus(photographs(photos, held_out=held_out)),
        SceneOptions(
            layers=layers,
            min_radius=min_radius,
            max_radius=max_radius,
            fluorescent_share=fluorescent_share,
            faded_share=faded_share,
            gritty_share=gritty_share,
            least_cells=least_cells,
            radius_of=radius_of,
        ),
        _mix(_lens_source(lens), prescriptions, traced_share),
    )
    write_pool(out, renderer, count, seed, size=size, device=device)


def pack(
    out: Positional[Path], photos: Positional[tuple[Path, ...]], megabytes: float = 50.0
) -> None:
    """Write photographs as JPEG that fits into a size, to train on another machine.

    Parameters
    ----------
    out : Path
        Folder to write, with training/ and held-out/.
    photos : tuple of Path
        Folders of photographs.
    megabytes : float
        Size that all may have, in 10^6 bytes.
    """
    print(f"JPEG of quality {write_photo_pack(out, photos, megabytes)}")


def join(out: Positional[Path], pools: Positional[tuple[Path, ...]], size: int = 192) -> None:
    """Join the scenes of several files.

    Parameters
    ----------
    out : Path
        File of scenes to write (.npy).
    pools : tuple of Path
        Files of scenes to join.
    size : int
        Side of a scene in pixels; the middle of larger ones is kept.
    """
    if not pools:
        raise TrainingError("no file of scenes to join; at least one is expected")
    join_pools(out, pools, size)


def render_microscopy(
    photos: Positional[Path],
    out: Positional[Path],
    count: int = 4000,
    size: int = 176,
    min_radius: float = 0.5,
    max_radius: float = 14.0,
    transmitted_share: float = 0.35,
    haze_share: float = 0.6,
    finest_pixel: float = FINEST_PIXEL,
    kind: tuple[str, ...] = (),
    seed: int = 0,
    held_out: bool = False,
    device: str = "cpu",
) -> None:
    """Render specimens under microscopes, fluorescent and in transmitted light.

    Parameters
    ----------
    photos : Path
        Folder of photographs, used as textures of tissue.
    out : Path
        File of scenes to write (.npy).
    count : int
        Number of scenes.
    size : int
        Side of a scene in pixels.
    min_radius : float
        Smallest value of a scene's largest radius, in px.
    max_radius : float
        Largest radius, in px.
    transmitted_share : float
        Share of specimens that are dark on a bright ground.
    haze_share : float
        Share of scenes with light from other depths.
    finest_pixel : float
        Smallest side of a pixel in wavelengths / (2 NA); 0.25 shows a point in focus 4 px wide.
    kind : tuple of str
        Fluorescent structure; may be repeated. By default those for training or, with --held-out,
        those for evaluation. The error for an unknown structure lists all.
    seed : int
        Seed; the same one gives the same result.
    held_out : bool
        Use the photographs, structures and optics kept for evaluation.
    device : str
        Device that renders: cpu, cuda, ...
    """
    unknown = [name for name in kind if name not in KINDS]
    if unknown:
        raise TrainingError(f"--kind is {unknown[0]!r}; choose among {', '.join(KINDS)}")
    renderer = MicroscopyRenderer(
        Corpus(photographs(photos, held_out=held_out)),
        SpecimenOptions(
            min_radius=min_radius,
            max_radius=max_radius,
            transmitted_share=transmitted_share,
            haze_share=haze_share,
            kinds=kind or (HELD_OUT if held_out else SPECIMENS),
        ),
        RandomMicroscopes(held_out=held_out, finest_pixel=finest_pixel),
    )
    write_pool(out, renderer, count, seed, size=size, device=device)


def reference_lens(out: Positional[Path], seed: int = 0) -> None:
    """Write the kernels of one random lens, as a reference for the training of kernels.

    Parameters
    ----------
    out : Path
        File of the kernel bank to write (.safetensors).
    seed : int
        Seed; the same one gives the same result.
    """
    bank = reference_bank(SampleRNG.from_key(seed, samples=[0]))
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(bank.state_dict(), out)


def show_batch(
    source: Positional[Path],
    out: Positional[Path],
    count: int = 6,
    crop: int = 128,
    pairs: bool = False,
    lens: str = "random",
    microscopy: bool = False,
    seed: int = 0,
) -> None:
    """Write a picture of a batch: sharp, whole pupil, left, right, radius.

    Parameters
    ----------
    source : Path
        File of scenes, or folder of photographs.
    out : Path
        Picture to write (.png).
    count : int
        Number of samples.
    crop : int
        Side of a sample in pixels.
    pairs : bool
        Read the folder as real pairs, blurred and sharp.
    lens : str
        random, or the .safetensors file of a kernel bank.
    microscopy : bool
        Image the scenes with a microscope.
    seed : int
        Seed; the same one gives the same result.
    """
    rng = SampleRNG.from_key(seed, samples=range(count))
    if pairs:
        photos = _read_pairs(source).draw(rng, crop)
    else:
        scenes = _scene_source(source, lens, microscopy=microscopy).draw(rng, crop)
        photos = (
            micrograph(scenes, rng)
            if microscopy
            else photograph(scenes, rng, SensorOptions(), views=True)
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(batch_picture(photos)).save(out)


def _read_pairs(folder: Path) -> PairScenes:
    """Return the pairs of a folder, with their views if they have any."""
    pairs = find_pairs(folder)
    return PairScenes(pairs, views=pairs[0].left is not None, evaluation=True)


def _scene_source(path: Path, lens: str, *, microscopy: bool) -> Source:
    if path.is_file():
        return Pool(path)
    corpus = Corpus(photographs(path, held_out=False))
    return MicroscopyRenderer(corpus) if microscopy else Renderer(corpus, optics=_lens_source(lens))


def _mix(source: LensSource, prescriptions: Path | None, share: float) -> LensSource:
    if prescriptions is None:
        return source
    if not 0 <= share <= 1:
        raise TrainingError(f"--traced-share is {share}; a share from 0 to 1 is expected")
    return MixedLenses(source, LensBank(read_lens_bank(prescriptions)), share)


def _lens_source(lens: str) -> LensSource:
    return RandomLenses() if lens == "random" else BankLens.read(Path(lens))
