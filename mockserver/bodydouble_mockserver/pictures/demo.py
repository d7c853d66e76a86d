"""A picture that looks like an edit: the inputs blended into one composition, with the prompt as a small caption."""

import math
from collections.abc import Iterator, Sequence

from bodydouble_spec.text import cut
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from bodydouble_mockserver.pictures.decoded import DecodedSources
from bodydouble_mockserver.pictures.model import Palette, PictureSpec
from bodydouble_mockserver.pictures.probe import DecodeFailure, decoding_deadline, resized
from bodydouble_mockserver.pictures.text import Cell, Lettering, cells_of, missing_font_advice, wrap_evenly

__all__ = ["demo_picture"]

_MOST_LAYERS = 6
# Part of a layer's width over which it fades into the next one.
_FADE = 0.6
_SLANT = 0.22
# A longer picture is enlarged where its layer needs more than this.
_LONGEST_SIDE = 2.0
_TINT = 0.22
_CAPTION_SIZE = 24
_CAPTION_LINES = 2
_CAPTION_CHARACTERS = 400
_WHITE = (255, 255, 255)
_SMALL = 8


def demo_picture(picture: PictureSpec, decoded: DecodedSources) -> Image.Image:
    """Draw the picture; without an input that can be shown, a landscape stands in for one."""
    palette = Palette(picture.seed, picture.index)
    size = picture.width, picture.height
    shown = list(_inputs(picture, size, decoded))
    images = [image for image in shown if isinstance(image, Image.Image)]
    canvas = _blended(images, size, palette) if images else _landscape(size, palette)
    _light(canvas, palette)
    notes = [
        f"{source.label}: {failure.reason}"
        for source, failure in zip(picture.sources, shown, strict=False)
        if isinstance(failure, DecodeFailure)
    ]
    if len(picture.sources) > _MOST_LAYERS:
        notes.append(f"{len(picture.sources) - _MOST_LAYERS} more inputs are not shown")
    caption = cells_of(cut(picture.prompt, _CAPTION_CHARACTERS))
    _write_caption(canvas, picture.unit, caption, [*notes, *missing_font_advice(caption)])
    return canvas


def _inputs(
    picture: PictureSpec, size: tuple[int, int], decoded: DecodedSources
) -> Iterator[Image.Image | DecodeFailure | None]:
    """Yield each input that takes part, large enough to cover its layer; None for one without data."""
    deadline = decoding_deadline()
    side = max(1, round(max(size) * _LONGEST_SIDE / (1 if len(picture.sources) < 2 else 1.4)))
    for source in picture.sources[:_MOST_LAYERS]:
        yield decoded.get(source, (side, side), deadline)


def _blended(images: Sequence[Image.Image], size: tuple[int, int], palette: Palette) -> Image.Image:
    """Lay the images beside each other, or below each other on a tall canvas, and fade each into the next."""
    if size[0] < size[1] and len(images) > 1:
        turned = [image.transpose(Image.Transpose.ROTATE_90) for image in images]
        return _blended(turned, (size[1], size[0]), palette).transpose(Image.Transpose.ROTATE_270)
    width, height = size
    step = width / len(images)
    fade = step * _FADE
    canvas = Image.new("RGB", size)
    for number, image in enumerate(images):
        left = 0 if number == 0 else math.floor(number * step - fade)
        right = width if number == len(images) - 1 else math.ceil((number + 1) * step + fade)
        layer = _covering(image, (max(1, min(width, right) - left), height), palette)
        if number == 0:
            canvas.paste(layer, (0, 0))
        else:
            canvas.paste(layer, (left, 0), _fade(layer.size, 2 * fade))
    return canvas


def _covering(image: Image.Image, size: tuple[int, int], palette: Palette) -> Image.Image:
    """Crop the image to a size; behind transparent parts stands a landscape."""
    fitted = ImageOps.fit(image, size, Image.Resampling.BICUBIC, centering=(0.5, 0.4))
    if fitted.mode != "RGBA":
        return fitted
    ground = _landscape(size, palette)
    ground.paste(fitted, (0, 0), fitted)
    return ground


def _fade(size: tuple[int, int], length: float) -> Image.Image:
    """Return a mask that rises from the left over ``length`` pixels along a slanted edge."""
    width, height = size
    lean = min(height * _SLANT, length / 2)
    rise = max(1.0, length - lean)
    ramp = Image.frombytes("L", (width, 1), bytes(round(255 * _smooth(min(1.0, x / rise))) for x in range(width)))
    return ramp.transform(size, Image.Transform.AFFINE, (1, -lean / height, 0, 0, 0, 0), fillcolor=0)


def _smooth(part: float) -> float:
    return part * part * (3 - 2 * part)


def _landscape(size: tuple[int, int], palette: Palette) -> Image.Image:
    """Draw hills under a sky with a sun, lighter the further away they are."""
    values = list(palette.fractions())
    scale = min(1.0, 768 / max(size))
    width, height = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    sky = Image.new("RGB", (1, 3))
    for row, lightness in enumerate((0.52, 0.74, 0.9)):
        sky.putpixel((0, row), palette.colour(0.06 * row, lightness, 0.6))
    image = resized(sky, (width, height))
    pen = ImageDraw.Draw(image)
    centre = width * (0.2 + 0.6 * values[0]), height * (0.2 + 0.18 * values[1])
    pen.circle(centre, min(width, height) * (0.06 + 0.05 * values[2]), fill=palette.colour(0.12, 0.95, 0.9))
    for layer in range(5):
        near = layer / 4
        base = height * (0.46 + 0.12 * layer)
        first, second = values[10 + 3 * layer] * 6, values[11 + 3 * layer] * 6
        swing = height * (0.05 + 0.05 * values[12 + 3 * layer])
        crest = [
            (x, base - swing * (math.sin(first + 5 * x / width) + 0.5 * math.sin(second + 11 * x / width)))
            for x in range(0, width + 8, 8)
        ]
        pen.polygon(
            [*crest, (crest[-1][0], height), (0, height)],
            fill=palette.colour(0.02 + 0.1 * near, 0.68 - 0.42 * near, 0.3 + 0.15 * near),
        )
    return resized(image, size)


def _light(canvas: Image.Image, palette: Palette) -> None:
    """Tint the picture in the colours of its request, let light in from a side, and darken the corners."""
    values = list(palette.fractions())
    tinted = ImageOps.colorize(
        canvas.convert("L"),
        palette.colour(0.55, 0.12, 0.5),
        palette.colour(0.05, 0.95, 0.6),
        palette.colour(0, 0.5, 0.45),
    )
    canvas.paste(Image.blend(canvas, tinted, _TINT))
    small = max(2, canvas.width // _SMALL), max(2, canvas.height // _SMALL)
    glow, shade = Image.new("L", small), Image.new("L", small, 110)
    radius = 0.45 * max(small)
    centre = small[0] * (values[3] > 0.5), small[1] * 0.5 * values[4]
    ImageDraw.Draw(glow).circle(centre, radius, fill=120)
    ImageDraw.Draw(shade).ellipse((0, 0, *small), fill=0)
    for mask, colour in ((glow, palette.colour(0.1, 0.86, 0.9)), (shade, palette.colour(0.5, 0.08, 0.4))):
        soft = mask.filter(ImageFilter.GaussianBlur(max(small) / 7))
        canvas.paste(colour, (0, 0), resized(soft, canvas.size))


def _write_caption(canvas: Image.Image, unit: float, caption: Sequence[Cell], notes: Sequence[str]) -> None:
    """Write the prompt in the lower left corner, on at most two lines, and below it what is not shown."""
    lettering = Lettering(_CAPTION_SIZE * unit)
    margin, padding = round(28 * unit), round(12 * unit)
    room = canvas.width - 2 * (margin + padding)
    lines = [line for line in wrap_evenly(caption, lettering.measure, room, _CAPTION_LINES).lines if line.cells]
    lines += [lettering.line(text, room) for text in notes[:2]]
    if not lines or room < lettering.size:
        return
    width = round(max(map(lettering.width, lines))) + 2 * padding
    height = len(lines) * lettering.line_height + padding
    left, top = margin, max(0, canvas.height - margin - height)
    strip = canvas.crop((left, top, left + width, top + height))
    dark = Image.blend(strip, Image.new("RGB", strip.size, (12, 14, 20)), 0.62)
    mask = Image.new("L", strip.size)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), round(10 * unit), fill=255)
    pen = ImageDraw.Draw(dark)
    for number, line in enumerate(lines):
        start = width - padding - lettering.width(line) if line.right_to_left else padding
        lettering.draw(pen, (start, padding // 2 + number * lettering.line_height + lettering.size), line, _WHITE)
    canvas.paste(dark, (left, top), mask)
