"""Interlaced frames made whole, by a filter of FFmpeg."""

from collections.abc import Iterator

import av

FILTER = "bwdif", "mode=send_frame:deint=interlaced"
"""The filter that fills the lines of the field that is left out. It lets other frames pass, and keeps their number."""


class Deinterlacer:
    """Turns interlaced frames into whole ones. Until the first one comes, frames pass without delay."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._kind: tuple[int, int, str] | None = None

    def process(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Take the next frame, and yield those that are ready."""
        if self._graph is None and not frame.interlaced_frame:
            yield frame
            return
        kind = frame.width, frame.height, frame.format.name
        if self._graph is None or kind != self._kind:
            yield from self.flush()
            self._graph, self._kind = _make_graph(frame), kind
        self._graph.vpush(frame)
        yield from _pull(self._graph)

    def flush(self) -> Iterator[av.VideoFrame]:
        """Yield the frames that the filter holds back."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from _pull(self._graph)
            self._graph = None


def _make_graph(frame: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base, name="source"
    )
    graph.link_nodes(source, graph.add(*FILTER), graph.add("buffersink")).configure()
    return graph


def _pull(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            frame = graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield frame
