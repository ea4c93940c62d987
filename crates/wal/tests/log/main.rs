//! The log, as those who store with it see it: what goes in, what comes out, and what happens in
//! between to the machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commit;
mod crash;
mod damage;
mod faults;
mod framing;
mod machine;
mod segments;
