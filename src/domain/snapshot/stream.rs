//! Streaming conversion: records are converted one by one while they are written or read, so that memory never holds a
//! second copy of a shop.
//!
//! Nothing here depends on a form. A form defines its records; these types carry them.

use std::fmt::Display;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes a sequence with this many items. Each is created when it is written.
pub(super) fn sequence<S: Serializer>(
    length: usize,
    items: impl Iterator<Item: Serialize>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut sequence = to.serialize_seq(Some(length))?;
    for item in items {
        sequence.serialize_element(&item)?;
    }
    sequence.end()
}

/// Records that are read in the stored form `F`: chunks of slots, each with a record or empty.
pub(super) struct Chunks<F, L>(pub(super) Vec<Vec<Option<L>>>, PhantomData<F>);

impl<F, L> Chunks<F, L> {
    /// Converts the records, chunk by chunk.
    pub(super) fn converted<M: TryFrom<L>>(self) -> Result<Chunks<L, M>, M::Error> {
        let slot = |slot: Option<L>| slot.map(M::try_from).transpose();
        let chunk = |chunk: Vec<Option<L>>| chunk.into_iter().map(slot).collect();
        let chunks = self.0.into_iter().map(chunk);
        Ok(Chunks(chunks.collect::<Result<_, _>>()?, PhantomData))
    }
}

impl<'de, F, L> Deserialize<'de> for Chunks<F, L>
where
    F: Deserialize<'de>,
    L: TryFrom<F, Error: Display>,
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Chunks<F, L>, D::Error> {
        struct OfChunks<F, L>(PhantomData<(F, L)>);

        impl<'de, F, L> Visitor<'de> for OfChunks<F, L>
        where
            F: Deserialize<'de>,
            L: TryFrom<F, Error: Display>,
        {
            type Value = Vec<Vec<Option<L>>>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("chunks of records")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut read: A) -> Result<Self::Value, A::Error> {
                let mut chunks = Vec::new();
                while let Some(Chunk(chunk, _)) = read.next_element::<Chunk<F, L>>()? {
                    chunks.push(chunk);
                }
                Ok(chunks)
            }
        }

        let chunks = from.deserialize_seq(OfChunks::<F, L>(PhantomData))?;
        Ok(Chunks(chunks, PhantomData))
    }
}

/// One chunk of [`Chunks`].
struct Chunk<F, L>(Vec<Option<L>>, PhantomData<F>);

/// The maximum number of slots that are allocated before they are read, in case a length is corrupt.
const ROOM_MAX: usize = 1024;

impl<'de, F, L> Deserialize<'de> for Chunk<F, L>
where
    F: Deserialize<'de>,
    L: TryFrom<F, Error: Display>,
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Chunk<F, L>, D::Error> {
        struct OfSlots<F, L>(PhantomData<(F, L)>);

        impl<'de, F, L> Visitor<'de> for OfSlots<F, L>
        where
            F: Deserialize<'de>,
            L: TryFrom<F, Error: Display>,
        {
            type Value = Vec<Option<L>>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("records")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut read: A) -> Result<Self::Value, A::Error> {
                let room = read.size_hint().unwrap_or(0).min(ROOM_MAX);
                let mut chunk = Vec::with_capacity(room);
                while let Some(slot) = read.next_element::<Option<Via<F, L>>>()? {
                    chunk.push(slot.map(|via| via.0));
                }
                Ok(chunk)
            }
        }

        let slots = from.deserialize_seq(OfSlots::<F, L>(PhantomData))?;
        Ok(Chunk(slots, PhantomData))
    }
}

/// A value that is read in the stored form `F`.
pub(super) struct Via<F, L>(pub(super) L, PhantomData<F>);

impl<F, L> Via<F, L> {
    /// Converts the value.
    pub(super) fn converted<M: TryFrom<L>>(self) -> Result<Via<L, M>, M::Error> {
        Ok(Via(M::try_from(self.0)?, PhantomData))
    }
}

impl<'de, F, L> Deserialize<'de> for Via<F, L>
where
    F: Deserialize<'de>,
    L: TryFrom<F, Error: Display>,
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Via<F, L>, D::Error> {
        let read = L::try_from(F::deserialize(from)?).map_err(D::Error::custom)?;
        Ok(Via(read, PhantomData))
    }
}

/// Decodes text with a function. The message is the error if it returns nothing. The text is borrowed from the input
/// bytes, so a corrupt length allocates nothing.
pub(super) struct OfText<F>(pub(super) F, pub(super) &'static str);

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for OfText<F> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom(self.1))
    }
}
