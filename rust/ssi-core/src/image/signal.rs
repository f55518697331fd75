// SPDX-License-Identifier: GPL-2.0
//! Signals in an image: what a process does with each, and which wait to be delivered.
use crate::codec::{Field, Reader};
use crate::image::memory::ADDRESS_END;
use crate::image::part::ImageError;
use crate::record;

/// Signals of the kernel (`_NSIG`).
pub const SIGNALS: u32 = 64;

/// Most pending signals of one thread or process.
pub const PENDING_MAX: u32 = 65_536;

record! {
    /// What a process does with one signal, sigaction(2).
    pub struct Action {
        /// Address of the handler; 0 for the default, 1 to ignore.
        pub handler: u64,
        /// SA_* bits.
        pub flags: u64,
        /// What the handler returns to.
        pub restorer: u64,
        /// Signals blocked meanwhile.
        pub mask: u64,
    }
}

/// Checks the payload of a `SignalActions` record: 64 actions, signal 1 first.
pub fn check_actions(payload: &[u8]) -> Result<(), ImageError> {
    let mut reader = Reader::new(payload);
    for signal in 1..=SIGNALS {
        let action: Action = reader.field()?;
        // SIGKILL and SIGSTOP have nothing but their default.
        let fixed = (signal == 9 || signal == 19) && action.handler != 0;
        if fixed || action.handler >= ADDRESS_END || action.restorer >= ADDRESS_END {
            return Err(ImageError::Value);
        }
    }
    reader.done()?;
    Ok(())
}

record! {
    /// One pending signal.
    pub struct Pending {
        /// 1 where any thread of the process may take it.
        pub shared: u32,
        /// Its number.
        pub signal: u32,
        /// `siginfo_t` as far as it has content (include/uapi/asm-generic/siginfo.h).
        pub info: [u8; 48],
    }
}

/// Reads and checks the payload of a `PendingSignal` record.
pub fn parse_pending(payload: &[u8]) -> Result<Pending, ImageError> {
    let pending = Pending::take(payload)?;
    let number = pending.info.get(..4).map_or(Ok(0), u32::take)?;
    // SIGKILL never waits.
    if pending.shared > 1
        || pending.signal == 9
        || !(1..=SIGNALS).contains(&pending.signal)
        || number != pending.signal
    {
        return Err(ImageError::Value);
    }
    Ok(pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_that_no_process_can_have() {
        let mut payload = [0u8; SIGNALS as usize * Action::SIZE];
        assert_eq!(check_actions(&payload), Ok(()));
        payload[8 * Action::SIZE] = 1;
        assert_eq!(check_actions(&payload), Err(ImageError::Value));
        payload[8 * Action::SIZE] = 0;
        payload[7] = 0xff;
        assert_eq!(check_actions(&payload), Err(ImageError::Value));
    }

    #[test]
    fn a_signal_is_what_its_data_say() {
        let mut pending = Pending {
            shared: 0,
            signal: 10,
            info: [0; 48],
        };
        let mut payload = [0; Pending::SIZE];
        pending.put(&mut payload).unwrap();
        assert_eq!(parse_pending(&payload), Err(ImageError::Value));
        pending.info[0] = 10;
        pending.put(&mut payload).unwrap();
        assert_eq!(parse_pending(&payload), Ok(pending));
    }
}
