// SPDX-License-Identifier: GPL-2.0
//! Whether the processes of an image can be built: each PID once, fathers that exist, no rings.
use crate::image::part::ImageError;
use crate::image::process::{flag, Process};

/// Most processes of one part.
pub const PROCESSES_MAX: usize = 32_768;

/// Checks `processes`, sorted by PID, as a forest. `seen` has a place for each of them.
pub fn check(processes: &[Process], seen: &mut [u32]) -> Result<(), ImageError> {
    if processes.len() > PROCESSES_MAX || seen.len() != processes.len() {
        return Err(ImageError::Length);
    }
    for (a, b) in processes.iter().zip(processes.iter().skip(1)) {
        if a.pid >= b.pid {
            return Err(ImageError::Order);
        }
    }
    for process in processes {
        check_father(processes, process)?;
    }
    check_rings(processes, seen)
}

/// Where the process with this PID stands in `processes`, sorted by PID.
pub fn find(processes: &[Process], pid: u32) -> Option<usize> {
    processes
        .binary_search_by_key(&pid, |process| process.pid)
        .ok()
}

fn check_father(processes: &[Process], process: &Process) -> Result<(), ImageError> {
    if process.parent == 0 {
        return match process.has(flag::BORROWED_MEMORY) {
            true => Err(ImageError::Value),
            false => Ok(()),
        };
    }
    let father = find(processes, process.parent).and_then(|at| processes.get(at));
    match father {
        // A zombie has no sons: they went to whoever adopts orphans.
        Some(father) if !father.has(flag::ZOMBIE) => Ok(()),
        Some(_) | None => Err(ImageError::Value),
    }
}

/// Walks up from each process; `seen` keeps, by place, from whom it was walked over (plus one).
fn check_rings(processes: &[Process], seen: &mut [u32]) -> Result<(), ImageError> {
    seen.fill(0);
    for (start, _) in processes.iter().enumerate() {
        // CAST: at most PROCESSES_MAX.
        let mark = (start as u32).wrapping_add(1);
        let mut at = start;
        loop {
            let place = seen.get_mut(at).ok_or(ImageError::Length)?;
            if *place == mark {
                return Err(ImageError::Order);
            }
            if *place != 0 {
                break;
            }
            *place = mark;
            let parent = processes.get(at).map_or(0, |process| process.parent);
            match find(processes, parent) {
                Some(father) => at = father,
                None => break,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::process::tests::sample;

    const BASE: u32 = 4_194_700;

    /// Processes BASE, BASE + 1, … with these fathers (as offsets; none for a head root).
    fn verdict(fathers: &[Option<u32>]) -> Result<(), ImageError> {
        let processes: Vec<Process> = fathers
            .iter()
            .enumerate()
            .map(|(at, father)| Process {
                parent: father.map_or(0, |father| BASE + father),
                ..sample(BASE + at as u32)
            })
            .collect();
        check(&processes, &mut vec![0; processes.len()])
    }

    #[test]
    fn forests() {
        assert_eq!(verdict(&[]), Ok(()));
        assert_eq!(verdict(&[None, Some(0), Some(0), Some(2), None]), Ok(()));
        assert_eq!(verdict(&[Some(1), Some(2), None]), Ok(()));
    }

    #[test]
    fn no_forests() {
        assert_eq!(verdict(&[Some(1), Some(0)]), Err(ImageError::Order));
        assert_eq!(
            verdict(&[None, Some(2), Some(3), Some(1)]),
            Err(ImageError::Order)
        );
        assert_eq!(verdict(&[Some(7)]), Err(ImageError::Value));
        let twice = [sample(BASE), sample(BASE)];
        assert_eq!(check(&twice, &mut [0; 2]), Err(ImageError::Order));
    }

    #[test]
    fn a_zombie_has_no_sons() {
        let mut zombie = sample(BASE);
        zombie.flags = flag::ZOMBIE;
        let mut son = sample(BASE + 1);
        son.parent = BASE;
        assert_eq!(check(&[zombie, son], &mut [0; 2]), Err(ImageError::Value));
    }
}
