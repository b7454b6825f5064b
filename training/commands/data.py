"""Commands that make training data, and show them."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from PIL import Image
from safetensors.torch import save_file

from training.data.batch_picture import batch_picture
from training.data.corpus import Corpus, photographs
from training.data.fluorescence import HELD_OUT, KINDS, TRAINED
from training.data.lenses import BankLens, LensSource
from training.data.micrograph import micrograph
from training.data.microscopy_renderer import MicroscopyRenderer, SpecimenOptions
from training.data.pair_scenes import PairScenes
from training.data.pairs import find_pairs
from training.data.pool import Pool, join_pools, write_pool
from training.data.random_fields import LEAST_CELLS
from training.data.random_lenses import RandomLenses
from training.data.random_microscopes import RandomMicroscopes
from training.data.reference_lens import reference_bank
from training.data.renderer import Renderer, SceneOptions
from training.data.rng import SampleRNG
from training.data.sensor import SensorOptions, photograph
from training.data.source import Source
from training.errors import TrainingError

LensOption = Annotated[str, typer.Option(help="random, or a kernel bank's .safetensors file.")]
Seed = Annotated[int, typer.Option(help="Same seed, same result.")]
HeldOut = Annotated[bool, typer.Option(help="Use the photographs kept for evaluation.")]
Device = Annotated[str, typer.Option(help="Where to render: cpu, cuda, ...")]


def render_command(
    photos: Annotated[Path, typer.Argument(help="Folder of sharp photographs.")],
    out: Annotated[Path, typer.Argument(help="File of scenes to write (.npy).")],
    count: Annotated[int, typer.Option(help="Number of scenes.")] = 8000,
    size: Annotated[int, typer.Option(help="Side of a scene in pixels.")] = 144,
    layers: Annotated[int, typer.Option(min=1, help="Layers that hide each other.")] = 3,
    min_radius: Annotated[float, typer.Option(help="Smallest largest radius, px.")] = 0.7,
    max_radius: Annotated[float, typer.Option(help="Largest radius, px.")] = 22.0,
    fluorescent_share: Annotated[float, typer.Option(help="Share of fluorescent scenes.")] = 0.1,
    faded_share: Annotated[float, typer.Option(help="Share of layers with flat places.")] = 0.0,
    gritty_share: Annotated[float, typer.Option(help="Share of layers with grit.")] = 0.0,
    least_cells: Annotated[float, typer.Option(help="Fewest blobs along a side.")] = LEAST_CELLS,
    radius_of: Annotated[
        Literal["blur", "disparity"], typer.Option(help="What radii tell, for two views to learn.")
    ] = "blur",
    lens: LensOption = "random",
    seed: Seed = 0,
    held_out: HeldOut = False,
    device: Device = "cpu",
) -> None:
    """Render dual-pixel scenes of known blur from sharp photographs."""
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
        _optics(lens),
    )
    write_pool(out, renderer, count, seed, size=size, device=device)


def join_command(
    out: Annotated[Path, typer.Argument(help="File of scenes to write (.npy).")],
    pools: Annotated[list[Path], typer.Argument(help="Files of scenes to take them from.")],
    size: Annotated[int, typer.Option(help="Side of a scene in pixels: the middle is kept.")] = 192,
) -> None:
    """Join the scenes of several files."""
    join_pools(out, pools, size)


def render_microscopy_command(
    photos: Annotated[Path, typer.Argument(help="Folder of photographs, as textures of tissue.")],
    out: Annotated[Path, typer.Argument(help="File of scenes to write (.npy).")],
    count: Annotated[int, typer.Option(help="Number of scenes.")] = 4000,
    size: Annotated[int, typer.Option(help="Side of a scene in pixels.")] = 176,
    min_radius: Annotated[float, typer.Option(help="Smallest largest radius, px.")] = 0.5,
    max_radius: Annotated[float, typer.Option(help="Largest radius, px.")] = 14.0,
    transmitted_share: Annotated[float, typer.Option(help="Share of dark on bright.")] = 0.35,
    haze_share: Annotated[float, typer.Option(help="Share with light of other depths.")] = 0.6,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help=f"What fluoresces: of {', '.join(KINDS)}; may be repeated. By default "
            f"{', '.join(TRAINED)}, or, held out, the others."
        ),
    ] = None,
    seed: Seed = 0,
    held_out: Annotated[
        bool, typer.Option(help="Use photographs, structures and optics kept for evaluation.")
    ] = False,
    device: Device = "cpu",
) -> None:
    """Render specimens under microscopes, fluorescent and in transmitted light."""
    unknown = [name for name in kind or () if name not in KINDS]
    if unknown:
        raise TrainingError(f"there is nothing called {unknown[0]!r}; known are {', '.join(KINDS)}")
    renderer = MicroscopyRenderer(
        Corpus(photographs(photos, held_out=held_out)),
        SpecimenOptions(
            min_radius=min_radius,
            max_radius=max_radius,
            transmitted_share=transmitted_share,
            haze_share=haze_share,
            kinds=tuple(kind or (HELD_OUT if held_out else TRAINED)),
        ),
        RandomMicroscopes(held_out=held_out),
    )
    write_pool(out, renderer, count, seed, size=size, device=device)


def plant_lens_command(
    out: Annotated[Path, typer.Argument(help="File of the kernel bank (.safetensors).")],
    seed: Seed = 0,
) -> None:
    """Write the kernels of one random lens, for a training of kernels to find again."""
    bank = reference_bank(SampleRNG.from_key(seed, samples=[0]))
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(bank.state_dict(), out)


def show_batch_command(
    source: Annotated[Path, typer.Argument(help="File of scenes, or folder of photographs.")],
    out: Annotated[Path, typer.Argument(help="Picture to write (.png).")],
    count: Annotated[int, typer.Option(help="Samples shown.")] = 6,
    crop: Annotated[int, typer.Option(help="Side of a sample in pixels.")] = 128,
    pairs: Annotated[
        bool, typer.Option("--pairs", help="The folder holds real pairs, blurred and sharp.")
    ] = False,
    lens: LensOption = "random",
    microscopy: Annotated[
        bool, typer.Option("--microscopy", help="The scenes lie under a microscope.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Write a picture of a batch: sharp, whole pupil, left, right, radius."""
    rng = SampleRNG.from_key(seed, samples=range(count))
    if pairs:
        photos = _real(source).draw(rng, crop)
    else:
        scenes = _source(source, lens, microscopy=microscopy).draw(rng, crop)
        photos = (
            micrograph(scenes, rng)
            if microscopy
            else photograph(scenes, rng, SensorOptions(), views=True)
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(batch_picture(photos)).save(out)


def _real(folder: Path) -> PairScenes:
    """Pairs to look at, with their views if they have any."""
    pairs = find_pairs(folder)
    return PairScenes(pairs, views=pairs[0].left is not None, evaluation=True)


def _source(path: Path, lens: str, *, microscopy: bool) -> Source:
    if path.is_file():
        return Pool(path)
    corpus = Corpus(photographs(path, held_out=False))
    return MicroscopyRenderer(corpus) if microscopy else Renderer(corpus, optics=_optics(lens))


def _optics(lens: str) -> LensSource:
    return RandomLenses() if lens == "random" else BankLens.read(Path(lens))
