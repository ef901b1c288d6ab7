"""Files without the place where they were taken."""

import io
import random

import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.PngImagePlugin import PngInfo

from automl.images.positions import without_position

PLACE = (52.0, 31.0, 12.025)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="52,31.2004N"'
    b' exif:UserComment="a dog"><exif:GPSLongitude>13,24.1E</exif:GPSLongitude></rdf:Description></rdf:RDF></x:xmpmeta>'
)


def photo(form: str, *, place: bool = True, **options: object) -> bytes:
    """A picture with a camera's name, upside down, and, where `place`, where it was taken."""
    image = Image.effect_noise((40, 30), 60).convert("RGB")
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Orientation] = "A camera", 3
    if place:
        values = {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: PLACE, GPS.GPSLongitude: PLACE, GPS.GPSAltitude: 34.5}
        exif.get_ifd(IFD.GPSInfo).update(values)
    file = io.BytesIO()
    image.save(file, form, exif=exif, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_place_is_gone_and_nothing_else(form: str):
    content = photo(form)
    assert opened(content).getexif().get_ifd(IFD.GPSInfo)
    stripped = without_position(content)
    image = opened(stripped)
    assert image.getexif().get_ifd(IFD.GPSInfo) == {}
    assert (image.getexif()[Base.Make], image.getexif()[Base.Orientation]) == ("A camera", 3)
    assert image.tobytes() == opened(content).tobytes()
    assert len(stripped) == len(content)


def test_a_tiff_is_emptied_as_the_one_inside_of_other_files():
    made = Image.Exif()
    made[Base.Make] = "A camera"
    made.get_ifd(IFD.GPSInfo).update({GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: PLACE})
    for content in (made.tobytes(), made.tobytes().removeprefix(b"Exif\0\0")):
        read = Image.Exif()
        read.load(without_position(content))
        assert (read[Base.Make], read.get_ifd(IFD.GPSInfo)) == ("A camera", {})


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "PNG"])
def test_also_from_what_programs_wrote_of_it_as_text(form: str):
    options = {"xmp": XMP}
    if form == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options = {"pnginfo": info}
    content = photo(form, **options)
    assert b"52,31" in content
    stripped = without_position(content)
    assert b"52,31" not in stripped and b"13,24" not in stripped
    assert b'exif:UserComment="a dog"' in stripped
    assert opened(stripped).tobytes() == opened(content).tobytes()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_file_without_a_place_stays_as_it_is(form: str):
    content = photo(form, place=False)
    assert without_position(content) is content


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_no_damaged_file_breaks_it_or_grows(form: str):
    content = photo(form)
    chance = random.Random(0)
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(min(400, len(damaged)))] = chance.randrange(256)
        cut = bytes(damaged[: chance.randint(0, len(damaged))])
        assert len(without_position(cut)) == len(cut)
