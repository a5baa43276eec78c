"""What moves on the screen is painted where it has gone.

Textual 8.2 compares the places of all widgets before and after a layout, and paints what moved. But
when something is painted while a widget that was hidden waits for that layout, it looks all places
up anew, and the layout then finds nothing that has moved: a banner left the row of views with half
of another row in it, for as long as nobody pressed a key that painted it.
"""

from __future__ import annotations

from textual._compositor import Compositor, CompositorMap


class WatchfulCompositor(Compositor):
    """Keeps in mind what has moved also when places are looked up between two layouts."""

    @property
    def full_map(self) -> CompositorMap:
        before = self._full_map
        now = super().full_map
        if now is not before:
            places = (place for _, place in now.items() ^ before.items())
            seen = (place.clip.intersection(place.region) for place in places)
            self._dirty_regions.update(region for region in seen if region)
        return now
