//! Rates: exact fractions of whole numbers. They are rounded only for output, to 4 decimals, half away from zero.

use serde::ser::{Serialize, Serializer};

use super::time::Duration;

/// A fraction of whole numbers. It is exact and is rounded only for output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The numerator.
    pub over: u64,
    /// The denominator.
    pub under: u64,
}

impl Rate {
    /// Rounded to ten-thousandths, half away from zero. `None` if the denominator is 0.
    pub fn myriads(self) -> Option<u64> {
        let (over, under) = (u128::from(self.over), u128::from(self.under));
        let doubled = (over * 20_000).checked_div(under)?;
        Some(doubled.div_ceil(2) as u64)
    }

    /// Whether the rate is less than `line`. False if the denominator is 0.
    pub fn is_below(self, line: Share) -> bool {
        u128::from(self.over) * 10_000 < u128::from(line.0) * u128::from(self.under)
    }

    /// Whether the rate is greater than `line`.
    pub fn is_above(self, line: Share) -> bool {
        u128::from(self.over) * 10_000 > u128::from(line.0) * u128::from(self.under)
    }
}

impl Serialize for Rate {
    /// With 4 decimals. `null` if the denominator is 0.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Decimal::rate(*self).serialize(serializer)
    }
}

impl utoipa::PartialSchema for Rate {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::SchemaType::from_iter([
                utoipa::openapi::Type::Number,
                utoipa::openapi::Type::Null,
            ]))
            .description(Some(
                "A share with at most 4 decimals; `null` where there is nothing to count.",
            ))
            .into()
    }
}

impl utoipa::ToSchema for Rate {}

/// A number with a fixed number of decimals, written without trailing zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The value times `scale`.
    pub scaled: u64,
    /// 1,000 for seconds in milliseconds, 10,000 for ratios.
    pub scale: u32,
}

impl Decimal {
    /// Seconds with at most 3 decimals.
    pub fn seconds(duration: Duration) -> Decimal {
        Decimal {
            scaled: duration.ms() as u64,
            scale: 1000,
        }
    }

    /// A rate with 4 decimals, rounded half away from zero. `None` if the denominator is 0.
    pub fn rate(rate: Rate) -> Option<Decimal> {
        let scaled = rate.myriads()?;
        Some(Decimal {
            scaled,
            scale: 10_000,
        })
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scale = u64::from(self.scale);
        if self.scaled.is_multiple_of(scale) {
            serializer.serialize_u64(self.scaled / scale)
        } else {
            // The nearest double of a short decimal is printed as the same decimal.
            serializer.serialize_f64(self.scaled as f64 / scale as f64)
        }
    }
}

impl utoipa::PartialSchema for Decimal {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::Number)
            .description(Some("A number with at most 4 decimals."))
            .into()
    }
}

impl utoipa::ToSchema for Decimal {}

/// An exact share from 0 to 1, in ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u16);

impl Share {
    /// The share 1.
    pub const ONE: Share = Share(10_000);
    /// The share 0.
    pub const ZERO: Share = Share(0);
}

impl utoipa::PartialSchema for Share {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::Number)
            .description(Some("A share from 0 to 1."))
            .into()
    }
}

impl utoipa::ToSchema for Share {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_rounded_half_away_from_zero() {
        for (over, under, myriads) in [
            (0, 0, None),
            (0, 3, Some(0)),
            (1, 3, Some(3333)),
            (2, 3, Some(6667)),
            (1, 20_000, Some(1)),
            (1, 20_001, Some(0)),
            (3, 3, Some(10_000)),
        ] {
            assert_eq!(Rate { over, under }.myriads(), myriads, "{over}/{under}");
        }
    }

    #[test]
    fn a_rate_on_its_line_is_neither_below_nor_above() {
        let rate = Rate { over: 4, under: 5 };
        assert!(!rate.is_below(Share(8000)) && !rate.is_above(Share(8000)));
        assert!(rate.is_below(Share(8001)) && rate.is_above(Share(7999)));
    }
}
