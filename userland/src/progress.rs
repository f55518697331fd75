// SPDX-License-Identifier: GPL-2.0
//! One line on the terminal that says how far a long operation is.
use crate::call;
use indicatif::{ProgressBar, ProgressStyle};
use ssi_core::abi::{step, Progress};
use std::io::{stderr, IsTerminal};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::Duration;

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
    let mut bar: Option<ProgressBar> = None;
    let mut pause = QUIET;
    while let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(pause) {
        pause = INTERVAL;
        if let Ok(progress) = call::progress() {
            show(bar.get_or_insert_with(ProgressBar::no_length), &progress);
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

/// How the line looks: with a bar where it is known how many bytes there will be.
fn template(progress: &Progress) -> &'static str {
    match (progress.bytes, progress.bytes_total) {
        (0, 0) => "{elapsed} {msg}",
        (_, 0) => "{elapsed} {msg} {binary_bytes} {binary_bytes_per_sec}",
        (..) => {
            "{elapsed} {msg} [{bar:20}] {binary_bytes} of {binary_total_bytes} \
             {binary_bytes_per_sec}"
        }
    }
}

fn show(bar: &ProgressBar, progress: &Progress) {
    if let Ok(style) = ProgressStyle::with_template(template(progress)) {
        bar.set_style(style);
    }
    if progress.bytes_total != 0 {
        bar.set_length(progress.bytes_total);
    }
    bar.set_message(text(progress));
    bar.set_position(progress.bytes);
}

fn text(progress: &Progress) -> String {
    let step = match progress.step {
        step::STOP => "stopping processes",
        step::SNAPSHOT => "taking the snapshot",
        step::WRITE => "writing",
        step::COMMIT => "committing",
        step::CREATE => "creating processes",
        _ => "waiting",
    };
    match progress.processes {
        0 => step.into(),
        count => format!("{step}, {count} processes here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::{InMemoryTerm, ProgressDrawTarget};

    fn line(progress: &Progress) -> String {
        let term = InMemoryTerm::new(2, 100);
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        let bar = ProgressBar::with_draw_target(None, target);
        show(&bar, progress);
        bar.tick();
        term.contents()
    }

    #[test]
    fn a_line_has_only_what_is_known() {
        let mut progress = Progress::default();
        assert_eq!(line(&progress), "0s waiting");
        progress = Progress {
            step: step::WRITE,
            processes: 2,
            bytes: 1 << 20,
            bytes_total: 0,
        };
        let rate = line(&progress);
        assert!(
            rate.starts_with("0s writing, 2 processes here 1.00 MiB "),
            "{rate}"
        );
        assert!(rate.ends_with("/s"), "{rate}");
        progress.bytes_total = 4 << 20;
        let bar = line(&progress);
        assert!(
            bar.contains("[█████░░░░░░░░░░░░░░░] 1.00 MiB of 4.00 MiB"),
            "{bar}"
        );
    }
}
