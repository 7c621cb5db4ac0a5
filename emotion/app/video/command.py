"""The `video` command: its arguments, what it prints and its exit status."""

import argparse
import math
import sys
from pathlib import Path

from emotion.app.arguments import add_cluster_argument, add_predictor_arguments, make_predictor, positive_int
from emotion.app.named_files import is_one_file
from emotion.app.outputs import add_overwrite_argument
from emotion.app.termination import interrupted_by_termination
from emotion.app.tracking_arguments import add_tracking_arguments, positive_seconds
from emotion.parallel.address import use_cluster

CUT_OFF, NO_FACE = 3, 1
"""Exit statuses: the video ends early; it shows no face."""

DESCRIPTION = """\
Track the faces in videos and predict their emotions. Write each video again
with boxes, numbers and labels, or write a table of all faces, or both.

Without --output and --csv, holiday.mov becomes holiday-emotions.mp4 in the
current folder."""

DETAILS = """\
faces:
  Every frame is searched for faces. With --search 0.15 there is a search every
  0.15 seconds, and boxes follow the motion of the image in between. This takes
  less processor time where videos are large.
  A face that appears later is shown after two searches have found it.
  A face that leaves or is hidden keeps its number for three seconds, in case it
  returns.
  Boxes and probabilities are smoothed (--smooth).

source:
  With the extra [video], that is PyAV, all videos that FFmpeg knows are read:
    pip install 'facial-emotion-pipeline[video]'
  Without it, OpenCV reads most. It cannot read interlaced videos, which come
  from camcorders, DVDs and television. They are refused.
  Frames are turned as the file asks, and get square pixels.

new video:
  With [video] it is H.264, which browsers and phones play. Frames keep their
  times, and the sound is copied unchanged. --no-sound leaves it out.
  Without [video], and in .avi files, the frame rate is constant. Frames are
  repeated or left out, so that each shows at its time. Without [video] there
  is no sound, and the codec is MPEG-4 Part 2. VLC and mpv play that; browsers
  do not.

table:
  It has one row per face and frame.
    frame, seconds       number and time of the frame, both from 0
    face                 number of the face, from 1
    detected             1: found in this frame. 0: tracked from an earlier one
    emotion, confidence  predicted emotion and its probability
    x, y, width, height  box in pixels of the frame as it is shown: turned, and
                         with square pixels; x and y are the upper left corner
    happy, sad, ...      probability of each emotion

several videos:
  A folder stands for all videos in it and in the folders below, by their
  suffixes. Hidden ones are left out. Put a pattern in quotes, so that the shell
  passes it on unchanged. A folder, a pattern or several names make --output and
  --csv name folders, which get NAME-emotions.mp4 and NAME.csv of each video.
  Subfolders stay as they are. A name that is taken gets a number.
  What cannot be read is named, and the others go on.
  With --cluster each video is a task for a worker, which reads and writes the
  files itself: all machines need the folders under the same paths. A worker
  uses one core for a task, and --threads has no effect there.
  One video or stream is read on this machine.

streams:
  VIDEO can be an address that begins with rtsp, rtsps, http or https.
  A stream without end is connected again where it breaks off, at most 5 times
  in a row. --seconds, Ctrl-C and `kill` end it. All three complete the files.
  Of the address only the host is printed, since the rest may hold a password.

unfinished files:
  A file has a hidden name until it is complete. After Ctrl-C, `kill` or an
  error, it is called NAME.partial.mp4 or NAME.partial.csv, and has all frames
  up to there.

exit status:
  0    the whole video was read, and it shows a face; or so did all
  1    the video shows no face (the files are written), or it cannot be read,
       or a file cannot be written
       of several videos: none shows a face
  2    the command line is wrong
  3    the video is broken and ends early, or a stream is lost; the frames
       before are written
       of several videos: some cannot be read, end early or show no face
  130  Ctrl-C or `kill` ended the command

examples:
  emotion video holiday.mp4                     write holiday-emotions.mp4
  emotion video talk.mp4 --csv talk.csv         write the table only, faster
  emotion video talk.mp4 -o new.mp4 --every 5   run the model less often
  emotion video talk.mp4 --search 0 --smooth 0  read each frame as an image
  emotion video clips -o new --csv tables       read all videos of a folder
  emotion video rtsp://camera.local/1 --csv cam.csv --seconds 60
                                                read a minute of a stream"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `video` to the commands of `emotion`."""
    parser = commands.add_parser(
        "video",
        help="write a video with boxed and labeled faces, or a table of them",
        description=DESCRIPTION,
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="VIDEO",
        help="video, folder, or pattern such as 'clips/**/*.mp4'; or the address of a stream",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="video to write: .mp4, .mov, .mkv or .avi; of several videos, the folder to write them to",
    )
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="table to write; of several videos, the folder to write tables to"
    )
    add_overwrite_argument(parser)
    parser.add_argument(
        "--every",
        type=positive_int,
        default=1,
        metavar="N",
        help="run the model on every Nth frame. Other frames repeat its probabilities (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=positive_seconds, default=math.inf, metavar="SECONDS", help="read only so much of the video"
    )
    parser.add_argument("--no-sound", action="store_true", help="leave the sound out of the new video")
    parser.add_argument("--no-bars", action="store_true", help="do not draw bars for the probabilities")
    add_tracking_arguments(parser)
    add_predictor_arguments(parser)
    add_cluster_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Read the videos and write the files that the arguments name.

    Raises:
        InputError: a video cannot be read, or a file cannot be written.
        SystemExit: a video ends early or shows no face; or, of several, cannot be read.
    """
    use_cluster(arguments.cluster)
    with interrupted_by_termination():
        _read(arguments)


def _read(arguments: argparse.Namespace) -> None:
    if is_one_file(arguments.sources):
        if arguments.cluster:
            print(
                "note: one video or stream is read on this machine; several videos are read on the cluster",
                file=sys.stderr,
            )
        _read_one(arguments, arguments.sources[0])
        return
    from emotion.app.video.many import read_videos

    read_videos(arguments)


def _read_one(arguments: argparse.Namespace, source: str) -> None:
    """Read one video or stream, and exit with NO_FACE or CUT_OFF if it shows no face or ends early."""
    from emotion.app.video.jobs import VideoOptions, find_warning, track_video
    from emotion.app.video.output_files import OutputFiles, print_kept
    from emotion.app.video.sources import file_of, open_source

    outputs = OutputFiles(*_choose_paths(arguments, source))
    outputs.check(file_of(source), overwrite=arguments.overwrite)
    with open_source(source, time_limit=arguments.seconds) as reader:
        predictor = make_predictor(arguments)
        try:
            summary = track_video(VideoOptions.of(arguments), predictor, reader, outputs)
        except BaseException:
            print_kept(outputs.kept)
            raise
    print(summary.describe(outputs.paths))
    warning = find_warning(summary, reader)
    if warning:
        print(f"warning: {warning}. The frames before are written", file=sys.stderr)
    if not summary.faces:
        sys.exit(NO_FACE)
    if warning:
        sys.exit(CUT_OFF)


def _choose_paths(arguments: argparse.Namespace, source: str) -> tuple[Path | None, Path | None]:
    """Return the paths of the video and the table to write."""
    from emotion.app.video.sources import default_output

    if arguments.output is None and arguments.csv is None:
        return default_output(source), None
    return arguments.output, arguments.csv
