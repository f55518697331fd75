// SPDX-License-Identifier: GPL-2.0
//! Literal bytes and hostile input for the records of address spaces.
use super::*;
use crate::codec::Field;

fn space() -> AddressSpace {
    AddressSpace {
        mappings: 2,
        personality: 0,
        mmap_base: 0x7fff_0000_0000,
        code: [0x1000, 0x2000],
        data: [0x3000, 0x3010],
        brk: [0x5000, 0x6001],
        stack: 0x7ffe_0000_0010,
        arg: [0x100, 0x110],
        env: [0x110, 0x110],
        flags: space_flag::TOPDOWN,
        dump_filter: 0x33,
        vdso: 0x7ffe_0000_1000,
        vdso_digest: 5,
        exe: FileStamp {
            size: 10,
            modified: -1,
        },
        exe_len: 8,
        auxv_len: 2,
        auxv: [0; AUXV_WORDS],
    }
}

fn mapping() -> Mapping {
    Mapping {
        start: 0x10_0000,
        end: 0x10_2000,
        offset: 0x1000,
        shared: 0,
        file: FileStamp {
            size: 0,
            modified: 0,
        },
        kind: MappingKind::Anonymous as u8,
        prot: 3,
        text_len: 0,
        flags: mapping_flag::LOCKED,
    }
}

fn bytes_of<T: Field>(record: &T, tail: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; T::SIZE];
    record.put(&mut bytes).unwrap();
    bytes.extend_from_slice(tail);
    bytes
}

#[test]
fn literal_mapping() {
    let bytes = bytes_of(&mapping(), b"");
    let mut expected = vec![0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0x20, 0x10, 0, 0, 0, 0, 0];
    expected.extend([0, 0x10, 0, 0, 0, 0, 0, 0]);
    expected.extend([0; 24]);
    expected.extend([1, 3, 0, 0, 4, 0, 0, 0]);
    assert_eq!(bytes, expected);
    let parsed = Mapping::parse(&bytes);
    assert_eq!(parsed, Ok((mapping(), MappingKind::Anonymous, &b""[..])));
}

#[test]
fn hostile_mappings() {
    let refuse = |mapping: Mapping, tail: &[u8]| {
        assert!(
            Mapping::parse(&bytes_of(&mapping, tail)).is_err(),
            "{mapping:?}"
        );
    };
    let good = mapping();
    refuse(Mapping { start: 1, ..good }, b"");
    refuse(
        Mapping {
            end: good.start,
            ..good
        },
        b"",
    );
    refuse(
        Mapping {
            end: ADDRESS_END + PAGE,
            ..good
        },
        b"",
    );
    refuse(
        Mapping {
            end: u64::MAX & !4095,
            ..good
        },
        b"",
    );
    refuse(
        Mapping {
            offset: u64::MAX & !4095,
            ..good
        },
        b"",
    );
    refuse(Mapping { offset: 5, ..good }, b"");
    refuse(Mapping { kind: 0, ..good }, b"");
    refuse(Mapping { kind: 7, ..good }, b"");
    refuse(Mapping { prot: 8, ..good }, b"");
    refuse(
        Mapping {
            flags: 1 << 14,
            ..good
        },
        b"",
    );
    refuse(
        Mapping {
            flags: mapping_flag::DROPPABLE | mapping_flag::GROWS_DOWN,
            ..good
        },
        b"",
    );
    refuse(Mapping { shared: 1, ..good }, b"");
    refuse(
        Mapping {
            text_len: 1,
            ..good
        },
        b"",
    );
    refuse(good, b"x");
    let shared = Mapping {
        kind: MappingKind::Shared as u8,
        ..good
    };
    refuse(shared, b"");
    let file = Mapping {
        kind: MappingKind::FilePrivate as u8,
        text_len: 4,
        ..good
    };
    refuse(file, b"a/bc");
    refuse(file, b"/a\0c");
    refuse(file, b"/ab");
    assert!(Mapping::parse(&bytes_of(&file, b"/a/b")).is_ok());
}

#[test]
fn address_spaces() {
    let bytes = bytes_of(&space(), b"/bin/cat");
    assert_eq!(AddressSpace::parse(&bytes), Ok((space(), &b"/bin/cat"[..])));
    let refuse = |space: AddressSpace| {
        assert!(
            AddressSpace::parse(&bytes_of(&space, b"/bin/cat")).is_err(),
            "{space:?}"
        );
    };
    let good = space();
    refuse(AddressSpace {
        brk: [2, 1],
        ..good
    });
    refuse(AddressSpace {
        env: [0, ADDRESS_END],
        ..good
    });
    refuse(AddressSpace {
        stack: u64::MAX,
        ..good
    });
    refuse(AddressSpace {
        mmap_base: 1,
        ..good
    });
    refuse(AddressSpace {
        vdso: u64::MAX & !4095,
        ..good
    });
    refuse(AddressSpace {
        flags: 2048,
        ..good
    });
    refuse(AddressSpace {
        mappings: MAPPINGS_MAX + 1,
        ..good
    });
    refuse(AddressSpace {
        auxv_len: 65,
        ..good
    });
    refuse(AddressSpace { exe_len: 9, ..good });
    let mut auxv = [0; AUXV_WORDS];
    auxv[2] = 1;
    refuse(AddressSpace { auxv, ..good });
}

#[test]
fn mappings_do_not_overlap() {
    let good = mapping();
    let mut order = MappingOrder::default();
    assert_eq!(order.next(&good), Ok(()));
    assert_eq!(order.next(&good), Err(ImageError::Order));
    assert_eq!(order.done(&space()), Err(ImageError::Order));
    let next = Mapping {
        start: good.end,
        end: good.end + PAGE,
        ..good
    };
    assert_eq!(order.next(&next), Ok(()));
    assert_eq!(order.done(&space()), Ok(()));
}

#[test]
fn literal_runs() {
    let run = PageRun {
        address: 0x10_0000,
        pages: 2,
        reserved: 0,
        digest: 9,
    };
    let bytes = bytes_of(&run, b"");
    assert_eq!(
        bytes,
        [0, 0, 16, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]
    );
    let runs: Vec<_> = Runs::parse(&bytes).unwrap().collect();
    assert_eq!(runs, [Ok(run)]);
}

#[test]
fn hostile_runs() {
    let good = PageRun {
        address: 0x10_0000,
        pages: 2,
        reserved: 0,
        digest: 9,
    };
    let refuse = |run: PageRun| {
        let bytes = bytes_of(&run, b"");
        let runs: Vec<_> = Runs::parse(&bytes).unwrap().collect();
        assert_eq!(runs, [Err(ImageError::Value)]);
    };
    refuse(PageRun { address: 1, ..good });
    refuse(PageRun { pages: 0, ..good });
    refuse(PageRun {
        pages: RUN_PAGES_MAX + 1,
        ..good
    });
    refuse(PageRun {
        reserved: 1,
        ..good
    });
    refuse(PageRun {
        address: u64::MAX & !4095,
        ..good
    });
    assert!(Runs::parse(&[0; 25]).is_err());
    assert!(Runs::parse(&[]).is_err());
    assert!(Runs::parse(&vec![0; PageRun::SIZE * (RUNS_MAX + 1)]).is_err());
}

#[test]
fn runs_stay_where_they_belong() {
    let run = PageRun {
        address: 0x10_0000,
        pages: 2,
        reserved: 0,
        digest: 9,
    };
    let mut order = RunOrder::default();
    assert_eq!(order.next(&run, None), Err(ImageError::Value));
    assert_eq!(order.next(&run, Some(0x10_1000)), Err(ImageError::Value));
    assert_eq!(order.next(&run, Some(0x10_2000)), Ok(()));
    assert_eq!(order.next(&run, Some(0x10_2000)), Err(ImageError::Order));
    assert_eq!(order.bytes, 8192);
}

#[test]
fn shared_memory() {
    let parse = |size: u64| SharedMemory::parse(&size.to_le_bytes());
    assert_eq!(parse(8192), Ok(SharedMemory { size: 8192 }));
    for size in [0, 1, 4097, SHARED_BYTES_MAX + PAGE] {
        assert_eq!(parse(size), Err(ImageError::Value));
    }
}
