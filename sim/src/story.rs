// SPDX-License-Identifier: GPL-2.0
//! Stories: a file says what happens, line by line, and then what came of it.
//!
//! `nodes N`, `process NAME on N [son of NAME] [outside]`, `stream NAME NAME` set the scene;
//! `checkpoint NAME from N`, `restart NAME from N`, `kill NAME`, `crash N`, `boot N`, `break N M`,
//! `cut N->M`, `heal N->M`, `fail N`, `full N`, `until N STATE`, `wait MS`, `stabilize` are the
//! story. The transcript follows a line of four dashes.
mod parse;
mod tell;

pub use parse::{Line, Story};
pub use tell::{Crash, Told};
