// SPDX-License-Identifier: GPL-2.0
//! Lends its context to a restart: started by the kernel as `ssi-restart-helper NUMBER`.
use std::process::ExitCode;

fn main() -> ExitCode {
    let number = std::env::args().nth(1).and_then(|text| text.parse().ok());
    match number.map(ssi_tools::call::help) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(_)) => ExitCode::FAILURE,
        None => {
            eprintln!("ssi-restart-helper: the kernel starts this program; it is of no other use");
            ExitCode::from(2)
        }
    }
}
