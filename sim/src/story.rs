// SPDX-License-Identifier: GPL-2.0
//! Stories: a file says what happens, line by line, and then what came of it.
//!
//! `nodes N`, `process NAME on N [son of NAME] [outside]`, `stream NAME NAME`, `keep N` set the
//! scene; `checkpoint NAME from N`, `restart NAME from N`, `kill NAME`, `crash N`, `boot N`,
//! `break N M`, `cut N->M`, `heal N->M`, `fail N`, `hang N MS`, `sleep N MS`, `full N`, `empty N`,
//! `slow N TIMES`, `until N STATE`, `wait MS`, `stabilize` are the story. A checkpoint or restart
//! ends in `in disk` or `in memory` where it is about the nodes' own stores, in which `keep N`
//! versions stay. The transcript follows a line of four dashes.
mod parse;
mod tell;

pub use parse::{Line, Story};
pub use tell::{Crash, Told};
