//! The fields of a location as they are written.

use deserr::Deserr;
use utoipa::ToSchema;

use crate::kernel::input::{Country, Degrees, Faults, Patch, Text, Zone};

/// The fields of a location. In a create, `name` is required; in an update, an absent field is left
/// and `null` clears it.
#[derive(Deserr, ToSchema, Clone, Debug, Default)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct LocationFields {
    /// Its name.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub name: Patch<Text<1, 200>>,
    /// Street and number.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub address: Patch<Text<1, 300>>,
    /// More of the address.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub address_line2: Patch<Text<1, 300>>,
    /// Postal code.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub postal_code: Patch<Text<1, 20>>,
    /// City.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub city: Patch<Text<1, 120>>,
    /// State, province or region.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub state: Patch<Text<1, 120>>,
    /// ISO 3166-1 alpha-2, any case.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub country: Patch<Country>,
    /// Degrees, north is positive; at most 6 decimals count.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub latitude: Patch<Degrees<90>>,
    /// Degrees, east is positive; at most 6 decimals count.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub longitude: Patch<Degrees<180>>,
    /// IANA time zone: what new events there get.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub timezone: Patch<Zone>,
}
