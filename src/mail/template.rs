//! The words of letters: `templates/mail/`, embedded; and the page that lists them. Values are
//! escaped in HTML.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Value};
use serde::Serialize;

use crate::kernel::{Error, Result};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    let sources = [
        ("letter.html", include_str!("../../templates/mail/letter.html")),
        ("tickets.html", include_str!("../../templates/mail/tickets.html")),
        ("captured.html", include_str!("../../templates/pages/captured.html")),
        ("refund.html", include_str!("../../templates/mail/refund.html")),
        ("refund.txt", include_str!("../../templates/mail/refund.txt")),
        ("cancelled.html", include_str!("../../templates/mail/cancelled.html")),
        ("cancelled.txt", include_str!("../../templates/mail/cancelled.txt")),
        ("offer.html", include_str!("../../templates/mail/offer.html")),
        ("offer.txt", include_str!("../../templates/mail/offer.txt")),
        ("account.html", include_str!("../../templates/mail/account.html")),
        ("account.txt", include_str!("../../templates/mail/account.txt")),
        ("tickets.txt", include_str!("../../templates/mail/tickets.txt")),
    ];
    for (name, source) in sources {
        if let Err(error) = environment.add_template(name, source) {
            // Rendering it will fail and say so; a test renders every template.
            tracing::error!(name, %error, "a mail template is not valid");
        }
    }
    environment
});

/// Renders a template.
pub fn render(name: &str, values: impl Serialize) -> Result<String> {
    let template = TEMPLATES.get_template(name).map_err(Error::internal)?;
    template.render(Value::from(Serde(values))).map_err(Error::internal)
}
