// SPDX-License-Identifier: GPL-2.0
//! Credentials of a thread in an image, and whether a caller may give them away.
use crate::codec::Reader;
use crate::image::part::ImageError;
use crate::record;

/// Most supplementary groups (`NGROUPS_MAX`, include/uapi/linux/limits.h).
pub const GROUPS_MAX: u32 = 65_536;

record! {
    /// Who a thread is, credentials(7), capabilities(7); supplementary groups (u32) follow.
    pub struct Credentials {
        /// Real, effective, saved and file system user.
        pub users: [u32; 4],
        /// The same for groups.
        pub groups: [u32; 4],
        /// PR_SET_SECUREBITS.
        pub securebits: u32,
        /// Supplementary groups that follow.
        pub supplementary: u32,
        /// Inheritable, permitted, effective, bounding, ambient capabilities.
        pub capabilities: [u64; 5],
    }
}

/// Who asks for a restart, as far as it bounds what restored threads may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Its user id; 0 may restore everybody.
    pub uid: u32,
}

/// Reads and checks the payload of a `Credentials` record: the record, the groups' bytes.
pub fn parse(payload: &[u8]) -> Result<(Credentials, &[u8]), ImageError> {
    let mut reader = Reader::new(payload);
    let creds: Credentials = reader.field()?;
    let groups = reader.rest();
    let count = creds.supplementary;
    if count > GROUPS_MAX || groups.len() as u64 != u64::from(count).saturating_mul(4) {
        return Err(ImageError::Length);
    }
    let [_, permitted, effective, _, ambient] = creds.capabilities;
    let invalid = creds.users.contains(&u32::MAX) || creds.groups.contains(&u32::MAX);
    if invalid || effective & !permitted != 0 || ambient & !permitted != 0 {
        return Err(ImageError::Value);
    }
    Ok((creds, groups))
}

impl Credentials {
    /// Whether `caller` may make a thread that has these: root may, others only their own,
    /// without capabilities.
    pub fn within(&self, caller: Caller) -> bool {
        let [inheritable, permitted, _, _, _] = self.capabilities;
        let own = self.users.iter().all(|user| *user == caller.uid);
        caller.uid == 0 || (own && inheritable == 0 && permitted == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Field;

    fn sample() -> Credentials {
        Credentials {
            users: [1000; 4],
            groups: [1000; 4],
            securebits: 0,
            supplementary: 0,
            capabilities: [0, 0, 0, u64::MAX, 0],
        }
    }

    #[test]
    fn nobody_gives_what_is_not_his() {
        assert!(sample().within(Caller { uid: 1000 }));
        assert!(sample().within(Caller { uid: 0 }));
        assert!(!sample().within(Caller { uid: 1001 }));
        let mut creds = sample();
        creds.users[2] = 0;
        assert!(!creds.within(Caller { uid: 1000 }));
        let mut creds = sample();
        creds.capabilities[1] = 1;
        assert!(!creds.within(Caller { uid: 1000 }));
    }

    #[test]
    fn hostile_credentials() {
        let mut payload = [0; Credentials::SIZE];
        sample().put(&mut payload).unwrap();
        assert!(parse(&payload).is_ok());
        let mut creds = sample();
        creds.supplementary = 1;
        creds.put(&mut payload).unwrap();
        assert_eq!(parse(&payload), Err(ImageError::Length));
        let mut creds = sample();
        creds.capabilities[2] = 1;
        creds.put(&mut payload).unwrap();
        assert_eq!(parse(&payload), Err(ImageError::Value));
    }
}
