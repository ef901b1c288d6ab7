"""Files without the place where they were taken."""

import io
import random
import struct

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


def gps_ifd() -> Image.Exif:
    made = Image.Exif()
    made[Base.Make] = "A camera"
    made.get_ifd(IFD.GPSInfo).update({GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: PLACE})
    return made


@pytest.mark.parametrize("is_packed", [True, False])
def test_also_from_a_profile_that_another_program_put_into_a_png(is_packed: bool):
    """As ImageMagick does: Exif as hexadecimal digits in a text, most often a compressed one."""
    profile = gps_ifd().tobytes()
    digits = "\n".join(profile.hex()[at : at + 72] for at in range(0, 2 * len(profile), 72))
    info = PngInfo()
    info.add_text("Raw profile type exif", f"\nexif\n{len(profile):8}\n{digits}\n", zip=is_packed)
    info.add_text("Title", "a dog", zip=is_packed)
    file = io.BytesIO()
    Image.effect_noise((40, 30), 60).save(file, "PNG", pnginfo=info)
    assert opened(file.getvalue()).getexif().get_ifd(IFD.GPSInfo)
    image = opened(without_position(file.getvalue()))
    assert image.getexif().get_ifd(IFD.GPSInfo) == {}
    assert (image.getexif()[Base.Make], image.text["Title"]) == ("A camera", "a dog")
    assert image.tobytes() == opened(file.getvalue()).tobytes()


def test_also_from_compressed_text():
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    content = photo("PNG", place=False, pnginfo=info)
    assert "52,31" in opened(content).text["XML:com.adobe.xmp"]
    text = opened(without_position(content)).text["XML:com.adobe.xmp"]
    assert "52,31" not in text and "13,24" not in text and 'exif:UserComment="a dog"' in text


def test_text_that_is_larger_than_anybody_writes_is_left_out():
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", " " * (17 << 20) + XMP.decode(), zip=True)
    stripped = without_position(photo("PNG", place=False, pnginfo=info))
    assert b"adobe" not in stripped
    assert opened(stripped).size == (40, 30)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_also_what_drones_write_in_words_of_their_own(form: str):
    drone = b'<x drone-dji:GpsLatitude="+48.1370" drone-dji:GpsLongtitude=\'+11.5750\' drone-dji:FlightYaw="3.25"/>'
    options = {"xmp": drone}
    if form == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", drone.decode())
        options = {"pnginfo": info}
    stripped = without_position(photo(form, place=False, **options))
    assert b"48.1370" not in stripped and b"11.5750" not in stripped
    assert b'FlightYaw="3.25"' in stripped and b"drone-dji:GpsLatitude=" in stripped


def tiff_of_two(*, is_big: bool, places: str) -> bytes:
    """Two directories, of which the second has the place: as the next one, or as one that the first points to."""
    pointer, number, entry = ("<Q", "<Q", "<HHQQ") if is_big else ("<I", "<H", "<HHII")
    head = b"II+\0\x08\0\0\0" if is_big else b"II*\0"
    size = struct.calcsize(pointer)
    directory = struct.calcsize(number) + struct.calcsize(entry) + size
    first = len(head) + size
    second, gps = first + directory, first + 2 * directory
    kept = {"next": (0x0100, 3, 1, 40), "pointed to": (0x014A, 4, 1, second)}[places]
    degrees = b"\x34\0\0\0\x01\0\0\0" * 3
    return b"".join(
        [
            head,
            struct.pack(pointer, first),
            *(struct.pack(number, 1), struct.pack(entry, *kept), struct.pack(pointer, second * (places == "next"))),
            *(struct.pack(number, 1), struct.pack(entry, 0x8825, 4, 1, gps), struct.pack(pointer, 0)),
            *(struct.pack(number, 1), struct.pack(entry, 2, 5, 3, gps + directory), struct.pack(pointer, 0)),
            degrees,
        ]
    )


@pytest.mark.parametrize("is_big", [True, False])
@pytest.mark.parametrize("places", ["next", "pointed to"])
def test_also_from_each_picture_of_a_tiff(is_big: bool, places: str):
    content = tiff_of_two(is_big=is_big, places=places)
    assert content.count(b"\x34\0\0\0\x01") == 3
    stripped = without_position(content)
    assert (len(stripped), stripped.count(b"\x34\0\0\0\x01")) == (len(content), 0)
    assert b"\x34\0\0\0\x01" not in without_position(b"Exif\0\0" + content)


def test_directories_that_lead_in_a_circle_end():
    circle = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x014A, 4, 1, 8) + struct.pack("<I", 8)
    assert without_position(circle) is circle
