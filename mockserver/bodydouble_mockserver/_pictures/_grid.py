"""Where the tiles of a picture go."""

from dataclasses import dataclass

__all__ = ["Box", "grid"]

_TILE_ASPECT = 1.2


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


def grid(count: int, stage: Box, gap: int) -> tuple[Box, ...]:
    """``count`` equal boxes in rows, as large as the stage allows, ``gap`` pixels apart; a short last row is centred."""
    columns = max(range(1, count + 1), key=lambda columns: _tile_extent(columns, count, stage, gap), default=1)
    rows = -(-count // columns)
    width = max(1, (stage.width - gap * (columns - 1)) // columns)
    height = max(1, (stage.height - gap * (rows - 1)) // rows)
    boxes: list[Box] = []
    for row in range(rows):
        in_row = min(columns, count - row * columns)
        used = in_row * width + (in_row - 1) * gap
        left = stage.left + (stage.width - used) // 2
        top = stage.top + row * (height + gap)
        boxes += [Box(left + column * (width + gap), top, width, height) for column in range(in_row)]
    return tuple(boxes)


def _tile_extent(columns: int, count: int, stage: Box, gap: int) -> float:
    rows = -(-count // columns)
    width = (stage.width - gap * (columns - 1)) / columns
    height = (stage.height - gap * (rows - 1)) / rows
    return min(width, height * _TILE_ASPECT)
