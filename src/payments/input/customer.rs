//! The fields of a customer as they are written.

use deserr::Deserr;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::kernel::input::{Country, Email, Faults, Metadata, Patch, Text};

/// A new customer.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct NewCustomer {
    /// Unique among your customers of this mode, in any case.
    #[schema(inline)]
    pub email: Email,
    /// The name.
    #[deserr(default)]
    #[schema(inline)]
    pub name: Option<Text<1, 200>>,
    /// The telephone.
    #[deserr(default)]
    #[schema(inline)]
    pub phone: Option<Text<3, 40>>,
    /// Where they live.
    #[deserr(default)]
    pub address: Option<Address>,
    /// Yours to fill, at most 1 kB.
    #[deserr(default)]
    #[schema(inline)]
    pub metadata: Option<Metadata>,
}

/// Changes to a customer: absent leaves, null clears.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct CustomerFields {
    /// Cannot be cleared. 409 `email_taken`.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub email: Patch<Email>,
    /// The name.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub name: Patch<Text<1, 200>>,
    /// The telephone.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub phone: Patch<Text<3, 40>>,
    /// Where they live; replaced as a whole.
    #[deserr(default)]
    #[schema(value_type = Option<Address>, required = false)]
    pub address: Patch<Address>,
    /// Yours to fill, at most 1 kB; replaced as a whole.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub metadata: Patch<Metadata>,
}

/// An address.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    #[deserr(default)]
    #[schema(inline)]
    pub line1: Option<Text<1, 300>>,
    /// More of it.
    #[deserr(default)]
    #[schema(inline)]
    pub line2: Option<Text<1, 300>>,
    /// City.
    #[deserr(default)]
    #[schema(inline)]
    pub city: Option<Text<1, 120>>,
    /// State, province or region.
    #[deserr(default)]
    #[schema(inline)]
    pub state: Option<Text<1, 120>>,
    /// Postal code.
    #[deserr(default)]
    #[schema(inline)]
    pub postal_code: Option<Text<1, 20>>,
    /// ISO 3166-1 alpha-2, any case.
    #[deserr(default)]
    #[schema(inline)]
    pub country: Option<Country>,
}

impl Address {
    /// As it is stored and shown: every field, null when unknown.
    pub fn to_json(&self) -> Value {
        json!({
            "line1": self.line1.as_ref().map(|text| &text.0),
            "line2": self.line2.as_ref().map(|text| &text.0),
            "city": self.city.as_ref().map(|text| &text.0),
            "state": self.state.as_ref().map(|text| &text.0),
            "postal_code": self.postal_code.as_ref().map(|text| &text.0),
            "country": self.country.as_ref().map(|code| &code.0),
        })
    }
}
