//! Telling whose an access token is, and what they may do now.

use super::known;
use super::token::Access;
use crate::db::Tx;
use crate::kernel::secret::ServerKey;
use crate::kernel::{Mode, Result};
use crate::web::auth::{Authenticate, Credential, Membership, Principal};

/// Knows access tokens of members. A request is in live mode unless its header says otherwise.
pub struct SessionAuthenticator;

impl Authenticate for SessionAuthenticator {
    fn recognizes(&self, credential: &Credential) -> bool {
        let text = credential.expose();
        text.starts_with("ey") && text.matches('.').count() == 2
    }

    fn authenticate(
        &self,
        tx: &mut Tx<'_>,
        credential: &Credential,
        wanted: Option<Mode>,
    ) -> Result<Option<Principal>> {
        let key: &ServerKey = tx.environment().get()?;
        let Some(access) = Access::read(key, credential.expose(), tx.now()) else {
            return Ok(None);
        };
        let Some(standing) = known::standing(tx, &access.session)? else {
            return Ok(None);
        };
        let member = standing.member;
        let same = member.id == access.member
            && member.user_id == access.user
            && member.tenant.as_str() == access.tenant;
        if !same {
            return Ok(None);
        }
        Ok(Some(Principal {
            tenant: member.tenant,
            mode: wanted.unwrap_or(Mode::Live),
            scopes: member.role.scopes().to_vec(),
            member: Some(Membership {
                id: member.id,
                user: member.user_id,
                session: access.session,
                role: member.role,
            }),
            confirmed: standing.confirmed,
        }))
    }
}
