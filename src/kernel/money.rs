//! Money: integer minor units with a currency, checked arithmetic, one rounding rule.
//!
//! On the wire, money that this API calls *decimal* is a JSON number in major units (`20.6`);
//! money it calls *minor* is an integer (`2060`). Nothing is ever computed in floating point.

use std::fmt;
use std::str::FromStr;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::serialize::{self, Output, ToSql};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Number;

use super::{Error, Result};

/// Largest amount accepted anywhere, in minor units: JSON numbers stay exact below 2^53.
pub const AMOUNT_MAX_MINOR: i64 = 1_000_000_000_000;

/// An ISO 4217 currency.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Debug,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads a three-letter code in any case.
    pub fn parse(code: &str) -> Option<Self> {
        let code = code.to_ascii_uppercase();
        let currency = iso_currency::Currency::from_code(&code).map(Self)?;
        // Codes without an exponent (gold, testing) are not money one can charge.
        currency.0.exponent().map(|_| currency)
    }

    /// The upper-case code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal point (EUR 2, JPY 0, KWD 3).
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }
}

impl<DB: Backend> ToSql<diesel::sql_types::Text, DB> for Currency
where
    str: ToSql<diesel::sql_types::Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.code().to_sql(out)
    }
}

impl<DB: Backend> FromSql<diesel::sql_types::Text, DB> for Currency
where
    String: FromSql<diesel::sql_types::Text, DB>,
{
    fn from_sql(raw: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let code = String::from_sql(raw)?;
        Self::parse(&code).ok_or_else(|| format!("{code} is no currency").into())
    }
}

/// An amount in minor units of a currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Money {
    /// Cents, yen, fils.
    pub minor: i64,
    /// What they are cents of.
    pub currency: Currency,
}

impl Money {
    /// Zero of a currency.
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// From minor units.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Exact conversion from major units; `None` when there are too many digits or it is too much.
    pub fn from_decimal(major: Decimal, currency: Currency) -> Option<Self> {
        let scale = Decimal::from(10_i64.checked_pow(currency.exponent())?);
        let minor = major.checked_mul(scale)?.normalize();
        if minor.scale() != 0 {
            return None;
        }
        let minor = minor.to_i64()?;
        (minor.checked_abs()? <= AMOUNT_MAX_MINOR).then_some(Self { minor, currency })
    }

    /// Major units.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent()).normalize()
    }

    /// Major units as a JSON number: `20.6`, `20`, `0.05`.
    pub fn number(self) -> Number {
        decimal_number(self.decimal())
    }

    /// Sum; an error on another currency or overflow.
    pub fn plus(self, other: Self) -> Result<Self> {
        if self.currency != other.currency {
            return Err(Error::internal("amounts of two currencies were added"));
        }
        self.of(self.minor.checked_add(other.minor))
    }

    /// So many times.
    pub fn times(self, count: i64) -> Result<Self> {
        self.of(self.minor.checked_mul(count))
    }

    /// A percentage, rounded half up (away from zero) to the minor unit: the only rounding rule.
    pub fn percent(self, percent: Percent) -> Result<Self> {
        let product = i128::from(self.minor) * i128::from(percent.0);
        let half = if product < 0 { -HALF_OF_ONE } else { HALF_OF_ONE };
        self.of(i64::try_from((product + half) / (HALF_OF_ONE * 2)).ok())
    }

    fn of(self, minor: Option<i64>) -> Result<Self> {
        let minor = minor.filter(|m| m.checked_abs().is_some_and(|m| m <= AMOUNT_MAX_MINOR));
        let minor = minor.ok_or_else(|| {
            Error::unprocessable("amount_too_large", "The total is larger than can be charged.")
        })?;
        Ok(Self { minor, currency: self.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::try_from(self.currency.exponent()).unwrap_or(2);
        let decimal = Decimal::new(self.minor, self.currency.exponent());
        write!(f, "{decimal:.places$} {}", self.currency.code())
    }
}

const HALF_OF_ONE: i128 = 500_000;

/// A percentage in ten-thousandths of a percent: 3 % is 30,000.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Percent(i64);

impl Percent {
    /// Most digits after the decimal point.
    pub const SCALE: u32 = 4;

    /// From ten-thousandths of a percent.
    pub fn from_e4(e4: i64) -> Self {
        Self(e4)
    }

    /// Ten-thousandths of a percent.
    pub fn e4(self) -> i64 {
        self.0
    }

    /// Exact conversion from decimal percent between 0 and 100.
    pub fn from_decimal(percent: Decimal) -> Option<Self> {
        let e4 = percent.checked_mul(Decimal::from(10_000))?.normalize();
        let e4 = if e4.scale() == 0 { e4.to_i64()? } else { return None };
        (0..=1_000_000).contains(&e4).then_some(Self(e4))
    }

    /// Decimal percent as a JSON number.
    pub fn number(self) -> Number {
        decimal_number(Decimal::new(self.0, Self::SCALE))
    }
}

/// A JSON number with exactly the digits of a decimal.
pub fn decimal_number(value: Decimal) -> Number {
    let value = value.normalize();
    value.to_i64().filter(|_| value.scale() == 0).map_or_else(
        || Number::from_str(&value.to_string()).unwrap_or_else(|_| Number::from(0)),
        Number::from,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eur() -> Currency {
        Currency::parse("eur").unwrap()
    }

    #[test]
    fn the_example_of_the_contract() {
        let price = Money::new(2000, eur());
        let fee = price.percent(Percent::from_decimal(Decimal::from(3)).unwrap()).unwrap();
        assert_eq!(fee.number().to_string(), "0.6");
        assert_eq!(price.plus(fee).unwrap().number().to_string(), "20.6");
        assert_eq!(price.number().to_string(), "20");
        assert_eq!(Money::new(5, eur()).to_string(), "0.05 EUR");
    }

    #[test]
    fn excess_digits_and_odd_currencies_are_refused() {
        assert!(Money::from_decimal("20.601".parse().unwrap(), eur()).is_none());
        let yen = Currency::parse("JPY").unwrap();
        assert!(Money::from_decimal("20.5".parse().unwrap(), yen).is_none());
        assert_eq!(Money::from_decimal("20.0".parse().unwrap(), yen).unwrap().minor, 20);
        assert!(Currency::parse("XAU").is_none());
        assert!(Currency::parse("EURO").is_none());
    }

    proptest! {
        #[test]
        fn decimals_round_trip(minor in -AMOUNT_MAX_MINOR..=AMOUNT_MAX_MINOR, which in 0usize..3) {
            let code = ["EUR", "JPY", "KWD"][which];
            let money = Money::new(minor, Currency::parse(code).unwrap());
            let text = money.number().to_string();
            let back = Decimal::from_str(&text).unwrap();
            prop_assert_eq!(Money::from_decimal(back, money.currency), Some(money));
        }

        #[test]
        fn percent_is_half_up_and_bounded(minor in 0..=AMOUNT_MAX_MINOR, e4 in 0i64..=1_000_000) {
            let whole = Money::new(minor, eur());
            let part = whole.percent(Percent::from_e4(e4)).unwrap().minor;
            prop_assert!(part <= minor);
            let exact = i128::from(minor) * i128::from(e4);
            let error = i128::from(part) * 1_000_000 - exact;
            prop_assert!(error > -500_000 && error <= 500_000, "half up");
        }

        #[test]
        fn per_ticket_fees_sum_to_the_total(minor in 0i64..100_000_000, e4 in 0i64..200_000,
                                            count in 1i64..=100) {
            let unit = Money::new(minor, eur());
            let fee = unit.percent(Percent::from_e4(e4)).unwrap();
            let total = unit.times(count).unwrap().plus(fee.times(count).unwrap()).unwrap();
            prop_assert_eq!(total.minor, count * (unit.minor + fee.minor));
        }
    }
}
