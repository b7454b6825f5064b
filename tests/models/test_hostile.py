"""Harmful weights files: they raise a ModelError, run no code and take little memory."""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from napari_defocus.errors import ModelError
from napari_defocus.models import find_model, load_network
from napari_defocus.models.cards import read_card
from napari_defocus.networks import build

from ..model_files import save_untrained

ARGUMENTS = {"widths": [4, 4, 4], "blocks": [1, 1, 1, 1]}
FIELDS = {"task": "single", "architecture": "single-estimator", "arguments": ARGUMENTS}


@pytest.fixture(scope="module")
def network():
    return build("single-estimator", ARGUMENTS)


@pytest.fixture(scope="module")
def files(network, tmp_path_factory):
    """Return the bytes of good weights files by suffix."""
    folder = tmp_path_factory.mktemp("good")
    card = save_untrained(folder, "good", "single-estimator", ARGUMENTS, network)
    contents = {".safetensors": [card.path.read_bytes()], ".pth": []}
    for new in (True, False):
        buffer = io.BytesIO()
        fields = {**FIELDS, "state_dict": network.state_dict()}
        torch.save(fields, buffer, _use_new_zipfile_serialization=new)
        contents[".pth"].append(buffer.getvalue())
    return contents


def load(path):
    return load_network(find_model(path, "single"))


def assert_refused(path, words):
    with pytest.raises(ModelError, match=words) as error:
        load(path)
    assert path.name in str(error.value)


@pytest.mark.filterwarnings("ignore:Defining your `__torch_function__`")
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_weights_are_loaded_or_raise_an_error(files, tmp_path, suffix, data):
    content = bytearray(data.draw(st.sampled_from(files[suffix])))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 4000) | st.integers(-4000, -1)) % len(content)
        kind = data.draw(st.sampled_from(["byte", "insert", "cut", "end"]))
        if kind == "byte":
            content[place] = data.draw(st.integers(0, 255))
        elif kind == "insert":
            content[place:place] = data.draw(st.binary(min_size=1, max_size=20))
        else:
            del content[max(place, 1) : place + 20 if kind == "cut" else None]
    path = tmp_path / f"mine{suffix}"
    path.write_bytes(content)
    try:
        loaded = load(path)
    except ModelError as error:
        loaded, message = None, str(error)
    assert isinstance(loaded, nn.Module) or "\n" not in message


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return (Path.touch, (self.proof,))


@pytest.mark.parametrize("place", ["arguments", "name", "state_dict", "weight", "key"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_code_anywhere_in_a_pth_file_is_not_run(tmp_path, network, place, protocol):
    path, proof = tmp_path / "evil.pth", tmp_path / "ran"
    evil = Payload(proof)
    fields = {**FIELDS, "state_dict": dict(network.state_dict())}
    if place == "weight":
        fields["state_dict"]["evil"] = evil
    elif place == "key":
        fields["state_dict"][evil] = torch.zeros(1)
    else:
        fields[place] = evil
    torch.save(fields, path, pickle_protocol=protocol)
    assert_refused(path, "holds code instead of tensors")
    path.write_bytes(pickle.dumps(fields, protocol))
    assert_refused(path, "holds code instead of tensors")
    assert not proof.exists()


def test_tensors_larger_than_their_file_are_refused(tmp_path, network):
    path = tmp_path / "huge.pth"
    state = {**network.state_dict(), "huge": torch.zeros(1).expand(10**6, 10**6)}
    torch.save({**FIELDS, "state_dict": state}, path)
    assert_refused(path, "'huge' is larger than the whole file")


def test_compressed_zip_files_are_refused(tmp_path, files):
    path = tmp_path / "compressed.pth"
    with (
        zipfile.ZipFile(io.BytesIO(files[".pth"][0])) as original,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as compressed,
    ):
        for part in original.infolist():
            compressed.writestr(part.filename, original.read(part))
        compressed.writestr("archive/data/999", bytes(10**8))
    assert_refused(path, "bytes claim to hold")


@pytest.mark.parametrize(
    "arguments",
    [
        {"widths": [10**6] * 3},
        {"widths": [1000, 1000, 1000]},
        {"blocks": [10**9] * 4},
        {"blocks": [1] * 10**5},
        {"blocks": []},
        {"widths": "wide"},
        {"widths": [1e999]},
        {"nonsense": 1},
    ],
)
def test_excessively_large_networks_are_not_built(tmp_path, network, arguments):
    resource = pytest.importorskip("resource")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path = tmp_path / "large.pth"
    torch.save({**FIELDS, "arguments": arguments, "state_dict": network.state_dict()}, path)
    assert_refused(path, "does not accept|does not fit")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 200_000


def test_excessively_large_constants_are_not_made(tmp_path):
    state = build("generator", {"width": 8}).state_dict()
    fields = {"task": "deblur", "architecture": "generator", "state_dict": state}
    path = tmp_path / "wide.pth"
    torch.save({**fields, "arguments": {"width": 8, "radii": [1000.0] * 6}}, path)
    with pytest.raises(ModelError, match="wider than 256 px"):
        load_network(find_model(path, "deblur"))


@pytest.mark.parametrize(
    "arguments", [{"widths": torch.zeros(3)}, {1: 2, "a": 3}, {"widths": {1, 2}}, {"blocks": 1j}]
)
def test_arguments_other_than_plain_values_are_an_error(tmp_path, network, arguments):
    path = tmp_path / "odd.pth"
    torch.save({**FIELDS, "arguments": arguments, "state_dict": network.state_dict()}, path)
    assert_refused(path, "not plain values|does not accept")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sparse", torch.eye(3).to_sparse()),
        ("meta", torch.zeros(3, device="meta")),
        ("text", "0.5"),
        (3, torch.zeros(1)),
    ],
)
def test_tensors_of_other_kinds_are_an_error(tmp_path, network, name, value):
    path = tmp_path / "odd.pth"
    torch.save({**FIELDS, "state_dict": {**network.state_dict(), name: value}}, path)
    assert_refused(path, "holds no tensor under|does not fit|holds code")


def test_deeply_nested_headers_are_an_error(tmp_path):
    deep = json.dumps({"__metadata__": {"model": "[" * 100_000}}).encode()
    for header in (deep, b"[" * 100_000, b"\xff" * 100):
        path = tmp_path / "deep.safetensors"
        path.write_bytes(len(header).to_bytes(8, "little") + header)
        assert_refused(path, "does not say which network it is for")


def test_headers_of_very_many_values_are_an_error(tmp_path):
    path, many = tmp_path / "long.safetensors", "[]," * 10**6
    for header in ('{"a": [' + many, json.dumps({"__metadata__": {"model": many}})):
        path.write_bytes(len(header).to_bytes(8, "little") + header.encode())
        assert_refused(path, "does not say which network it is for")
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    assert_refused(path, "does not say which network it is for")


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_file_of_great_length_is_not_read(tmp_path, suffix):
    path = tmp_path / f"long{suffix}"
    path.touch()
    os.truncate(path, 2**40)
    assert_refused(path, "it holds 1099511627776 bytes; up to 1073741824 are read")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
@pytest.mark.parametrize("suffix", [".safetensors", ".pth", ".json"])
def test_special_files_are_refused_at_once(tmp_path, suffix):
    pipe, device = tmp_path / f"pipe{suffix}", tmp_path / f"device{suffix}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(ModelError, match="cannot be read: it is a pipe or a device"):
            read_card(path) if suffix == ".json" else load(path)


@pytest.mark.parametrize("content", [b"[" * 10**6, b'{"a": [' + b"[]," * 10**6, bytes(5 * 10**7)])
def test_card_of_great_depth_or_length_is_an_error(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"model card a.json cannot be read: it (is|holds)"):
        read_card(tmp_path / "a.json")


def assert_pickle_is_refused(path, pickled, words):
    """Give torch a pickle alone, and as part of a zip file."""
    path.write_bytes(pickled)
    assert_refused(path, words)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (
            ("a/data.pkl", pickled),
            ("a/version", b"3"),
            ("a/byteorder", b"little"),
        ):
            archive.writestr(name, content)
    assert_refused(path, words)


def test_pickle_that_makes_a_long_array_is_refused(tmp_path):
    pickled = b"\x80\x02cbuiltins\nbytearray\n" + pickle.dumps(2 * 10**9, 2)[2:-1] + b"\x85R."
    assert_pickle_is_refused(tmp_path / "long.pth", pickled, "it holds much beside its tensors")


def test_pickle_of_very_many_objects_is_refused(tmp_path):
    pickled = b"\x80\x02](" + b"]" * 3 * 10**6 + b"e."
    assert_pickle_is_refused(tmp_path / "long.pth", pickled, "it holds much beside its tensors")


@pytest.mark.parametrize("field", ["arguments", "recipe"])
def test_lists_that_double_each_time_are_refused(tmp_path, network, field):
    doubled = [1]
    for _ in range(40):
        doubled = [doubled, doubled]
    fields = {**FIELDS, field: {"widths": doubled}, "state_dict": network.state_dict()}
    torch.save(fields, tmp_path / "doubled.pth")
    assert_refused(tmp_path / "doubled.pth", f"more than 200000 values in the field '{field}'")
