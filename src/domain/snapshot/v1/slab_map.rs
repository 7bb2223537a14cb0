//! A table in form 1: its records in chunks of 256, the free numbers, and the position of its sweep.

use std::fmt::Display;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize, Serializer};

use crate::domain::collections::slab_map::{Keyed, SlabMap};
use crate::domain::snapshot::InvalidPart;
use crate::domain::snapshot::stream::{self, sequence};
use crate::domain::snapshot::v2::slab_map::TableV2Read;

/// The number of records in a chunk.
const CHUNK: u32 = 256;

/// A table whose records are written as `F`.
#[derive(Serialize)]
#[serde(bound = "F: From<&'a L> + Serialize")]
pub(super) struct TableV1<'a, L, F> {
    chunks: Chunks<'a, L, F>,
    free: &'a [u32],
    hand: u32,
}

impl<'a, L, F> TableV1<'a, L, F> {
    pub(super) fn of(table: &'a SlabMap<L>) -> TableV1<'a, L, F> {
        TableV1 {
            chunks: Chunks(table, PhantomData),
            free: table.free(),
            hand: table.hand(),
        }
    }
}

struct Chunks<'a, L, F>(&'a SlabMap<L>, PhantomData<F>);

impl<'a, L, F: From<&'a L> + Serialize> Serialize for Chunks<'a, L, F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let count = self.0.reach().div_ceil(CHUNK);
        let chunks = (0..count).map(|chunk| Chunk::<L, F>(self.0, chunk, PhantomData));
        sequence(count as usize, chunks, to)
    }
}

struct Chunk<'a, L, F>(&'a SlabMap<L>, u32, PhantomData<F>);

impl<'a, L, F: From<&'a L> + Serialize> Serialize for Chunk<'a, L, F> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let begin = self.1 * CHUNK;
        let numbers = begin..self.0.reach().min(begin + CHUNK);
        let slots = numbers
            .clone()
            .map(|number| self.0.get(number).map(F::from));
        sequence(numbers.len(), slots, to)
    }
}

/// The fields of [`TableV1`] in the same order, for decoding.
#[derive(Deserialize)]
#[serde(bound = "F: Deserialize<'de>, L: TryFrom<F, Error: Display>")]
pub(super) struct TableRead<F, L> {
    pub(super) chunks: stream::Chunks<F, L>,
    free: Vec<u32>,
    hand: u32,
}

impl<F, L: Keyed> TableRead<F, L> {
    /// Converts to a table. All chunks but the last must be full, and the free numbers must be those without a record,
    /// each once.
    pub(super) fn table(self) -> Result<SlabMap<L>, InvalidPart> {
        let chunk = CHUNK as usize;
        let chunks = self.chunks.0;
        let full = chunks.split_last().is_none_or(|(last, full)| {
            (1..=chunk).contains(&last.len()) && full.iter().all(|of| of.len() == chunk)
        });
        let table = SlabMap::of(chunks, self.free, self.hand);
        table.filter(|_| full).ok_or("a table that is none".into())
    }
}

impl<F, L> TableRead<F, L> {
    /// The table in form 2, from records that are in form 2.
    pub(super) fn in_form_2<M>(self) -> Result<TableV2Read<L, M>, InvalidPart>
    where
        M: TryFrom<L, Error = InvalidPart>,
    {
        Ok(TableV2Read {
            chunks: self.chunks.converted()?,
            free: self.free,
            hand: self.hand,
        })
    }
}
