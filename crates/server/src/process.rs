//! What this process costs the machine.

use std::path::Path;

use host::Files;
use rustix::time::{ClockId, clock_gettime};

/// User and system CPU time of all threads since the start.
pub(crate) fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Resident memory in bytes; `None` where there is no `/proc`.
pub(crate) fn resident_memory_bytes(files: &dyn Files) -> Option<u64> {
    let file = files.open(Path::new("/proc/self/statm")).ok()?;
    // Pages, in decimal: total, resident, shared, … The kernel tells no length, so we read until
    // the second number ends.
    let mut numbers = [0_u64; 2];
    let mut offset = 0;
    for number in &mut numbers {
        let mut byte = [0];
        loop {
            file.read_exact_at(&mut byte, offset).ok()?;
            offset += 1;
            match byte[0] {
                b' ' => break,
                digit => *number = *number * 10 + u64::from(digit.checked_sub(b'0')?),
            }
        }
    }
    let [_total, resident] = numbers;
    Some(resident * rustix::param::page_size() as u64)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_used_time_and_memory() {
        assert!(cpu_seconds() > 0.0);
        let bytes = resident_memory_bytes(&host::RealFiles).unwrap();
        assert!((1 << 20..1 << 40).contains(&bytes), "{bytes}");
    }
}
