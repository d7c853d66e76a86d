"""The layout of a picture's tiles."""

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


def grid(count: int, area: Box, gap: int) -> tuple[Box, ...]:
    """Arrange ``count`` equal boxes in rows, as large as the area allows, ``gap`` pixels apart; a short last row is centred."""
    columns = max(range(1, count + 1), key=lambda columns: _tile_extent(columns, count, area, gap), default=1)
    rows = -(-count // columns)
    width = max(1, (area.width - gap * (columns - 1)) // columns)
    height = max(1, (area.height - gap * (rows - 1)) // rows)
    boxes: list[Box] = []
    for row in range(rows):
        in_row = min(columns, count - row * columns)
        used = in_row * width + (in_row - 1) * gap
        left = area.left + (area.width - used) // 2
        top = area.top + row * (height + gap)
        boxes += [Box(left + column * (width + gap), top, width, height) for column in range(in_row)]
    return tuple(boxes)


def _tile_extent(columns: int, count: int, area: Box, gap: int) -> float:
    rows = -(-count // columns)
    width = (area.width - gap * (columns - 1)) / columns
    height = (area.height - gap * (rows - 1)) / rows
    return min(width, height * _TILE_ASPECT)
