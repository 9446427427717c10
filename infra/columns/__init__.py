"""Events as columns, and folds run on them: one run for all streams of a shape."""

from replayhouse.infra.runtime.data_frames import let_numpy_in

let_numpy_in()  # before the modules of this room import it
