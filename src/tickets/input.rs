//! What is written about tickets and their holders, as it arrives.

use deserr::Deserr;
use utoipa::ToSchema;

use crate::kernel::input::{Email, Faults, Patch, Text};

/// Who gets a ticket.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct Transfer {
    /// The new holder.
    #[schema(inline)]
    pub full_name: Text<1, 200>,
    /// The ticket is mailed there, where its payment's tickets are mailed.
    #[schema(inline)]
    pub email: Email,
    /// The new holder's telephone.
    #[deserr(default)]
    #[schema(inline)]
    pub phone: Option<Text<3, 40>>,
}

/// What is known of a ticket's holder: absent leaves, null clears.
#[derive(Deserr, ToSchema, Clone, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
pub struct AttendeeFields {
    /// The name.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub full_name: Patch<Text<1, 200>>,
    /// The e-mail.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub email: Patch<Email>,
    /// The telephone.
    #[deserr(default)]
    #[schema(inline, required = false)]
    pub phone: Patch<Text<3, 40>>,
}
