//! The stored forms of a header. Form 1, of release 0.1, knows the next timer as of the latest snapshot only.

use serde::{Deserialize, Serialize};

use super::{SnapshotHeader, SnapshotLocation};
use crate::journal::JournalError;
use crate::journal::embedded::checksummed::{decode, encode};

/// The form that is written.
const FORM: u8 = 2;

/// Number, `seq`, order, block, pieces.
type At = (u64, u64, u64, u64, u16);

#[derive(Deserialize)]
struct Form1 {
    id: String,
    n: u64,
    before_first: u64,
    state: Option<At>,
    due_ms: Option<i64>,
    kept: Vec<At>,
}

#[derive(Serialize, Deserialize)]
struct Form2 {
    id: String,
    n: u64,
    before_first: u64,
    state: Option<At>,
    due_ms: Option<i64>,
    due_n: u64,
    kept: Vec<At>,
}

fn at(of: SnapshotLocation) -> At {
    (of.n, of.seq, of.order, of.block, of.pieces)
}

fn state((n, seq, order, block, pieces): At) -> SnapshotLocation {
    SnapshotLocation {
        n,
        seq,
        order,
        block,
        pieces,
    }
}

pub(super) fn write(header: &SnapshotHeader) -> Vec<u8> {
    let stored = Form2 {
        id: header.id.clone(),
        n: header.n,
        before_first: header.before_first,
        state: header.state.map(at),
        due_ms: header.due_ms,
        due_n: header.due_n,
        kept: header.kept.iter().copied().map(at).collect(),
    };
    encode(FORM, &stored)
}

pub(super) fn read(value: &[u8], what: &str) -> Result<SnapshotHeader, JournalError> {
    let checked = decode(value, what)?;
    let stored = match checked.form {
        1 => {
            let Form1 {
                id,
                n,
                before_first,
                state,
                due_ms,
                kept,
            } = checked.read()?;
            Form2 {
                id,
                n,
                before_first,
                state,
                due_ms,
                due_n: state.map_or(0, |(n, ..)| n),
                kept,
            }
        }
        FORM => checked.read()?,
        _ => return Err(checked.newer()),
    };
    Ok(SnapshotHeader {
        id: stored.id,
        n: stored.n,
        before_first: stored.before_first,
        state: stored.state.map(state),
        due_ms: stored.due_ms,
        due_n: stored.due_n,
        kept: stored.kept.into_iter().map(state).collect(),
    })
}
