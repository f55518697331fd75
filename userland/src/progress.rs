// SPDX-License-Identifier: GPL-2.0
//! One line on the terminal that says how far a long operation is.
use crate::call;
use crate::report::{bytes, duration};
use ssi_core::abi::{step, Progress};
use std::io::{stderr, IsTerminal, Write};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Operations shorter than this show nothing.
const QUIET: Duration = Duration::from_secs(1);

/// Between two looks at the kernel's figures.
const INTERVAL: Duration = Duration::from_millis(200);

/// Runs `operation`, with a progress line on standard error if that is a terminal.
pub fn shown<T>(operation: impl FnOnce() -> T) -> T {
    if !stderr().is_terminal() {
        return operation();
    }
    std::thread::scope(|scope| {
        let (finished, wait) = channel();
        let line = scope.spawn(move || draw(&wait));
        let result = operation();
        drop(finished);
        // The line has nothing to say about the result, not even by a panic of its own.
        let _ = line.join();
        result
    })
}

/// Draws until the other end of `wait` is dropped.
fn draw(wait: &Receiver<()>) {
    let start = Instant::now();
    let mut pause = QUIET;
    let mut drawn = false;
    while let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(pause) {
        pause = INTERVAL;
        if let Ok(progress) = call::progress() {
            // A terminal that is gone is no reason to disturb the operation.
            let _ = write!(stderr(), "\r\x1b[K{}", text(&progress, start.elapsed()));
            drawn = true;
        }
    }
    if drawn {
        let _ = write!(stderr(), "\r\x1b[K");
    }
}

fn text(progress: &Progress, elapsed: Duration) -> String {
    let step = match progress.step {
        step::STOP => "stopping processes",
        step::SNAPSHOT => "taking the snapshot",
        step::WRITE => "writing",
        step::COMMIT => "committing",
        step::CREATE => "creating processes",
        _ => "waiting",
    };
    let mut text = format!("{} {step}", duration(elapsed));
    if progress.processes > 0 {
        text.push_str(&format!(", {} processes here", progress.processes));
    }
    match (progress.bytes, progress.bytes_total) {
        (0, 0) => {}
        (done, 0) => text.push_str(&format!(", {}", bytes(done))),
        (done, total) => text.push_str(&format!(", {} of {}", bytes(done), bytes(total))),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_only_what_is_known() {
        let mut progress = Progress::default();
        assert_eq!(
            text(&progress, Duration::from_millis(1500)),
            "1.50 s waiting"
        );
        progress = Progress {
            step: step::WRITE,
            processes: 2,
            bytes: 1 << 20,
            bytes_total: 0,
        };
        let line = text(&progress, Duration::from_secs(2));
        assert_eq!(line, "2.00 s writing, 2 processes here, 1.0 MiB");
        progress.bytes_total = 3 << 20;
        assert!(text(&progress, Duration::ZERO).ends_with(", 1.0 MiB of 3.0 MiB"));
    }
}
