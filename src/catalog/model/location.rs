//! A location as it is shown.

use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use crate::catalog::Location;
use crate::kernel::Timestamp;
use crate::kernel::input::degrees_number;

/// Where events are.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct LocationView {
    _id: String,
    id: String,
    organization_id: String,
    name: String,
    address: Option<String>,
    address_line2: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    state: Option<String>,
    /// ISO 3166-1 alpha-2.
    country: Option<String>,
    /// Degrees, north is positive.
    #[schema(value_type = Option<f64>)]
    latitude: Option<Number>,
    /// Degrees, east is positive.
    #[schema(value_type = Option<f64>)]
    longitude: Option<Number>,
    timezone: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<&Location> for LocationView {
    fn from(location: &Location) -> Self {
        let id = location.id.to_string();
        let location = location.clone();
        Self {
            _id: id.clone(),
            id,
            organization_id: location.organization_id.to_string(),
            name: location.name,
            address: location.address,
            address_line2: location.address_line2,
            postal_code: location.postal_code,
            city: location.city,
            state: location.state,
            country: location.country,
            latitude: location.latitude_e6.map(degrees_number),
            longitude: location.longitude_e6.map(degrees_number),
            timezone: location.timezone,
            created_at: location.created_at,
            updated_at: location.updated_at,
        }
    }
}
