// What a link in a letter opens. The token stands behind the hash: it is sent in the body of one
// request, and nowhere else. Nothing happens before somebody presses the button: programs that look
// at mail follow links too.
const kinds = {
  confirm: { path: '/v1/auth/email/confirm', asks: ['password'],
    says: 'Confirm that you signed up with this e-mail, by the password you chose.',
    done: 'Your e-mail is confirmed. You can close this page.' },
  reset: { path: '/v1/auth/password/reset', asks: ['password'], says: 'Set a new password.',
    done: 'Your new password is set. You can log in with it now.' },
  invitation: { path: '/v1/members/invitations/accept', asks: ['name', 'password'],
    says: 'Accept the invitation. If you have an account already, accept it there.',
    done: 'Welcome. You can log in now.' },
};
const kind = kinds[location.pathname.split('/').pop()];
const token = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, '', location.pathname);
const at = (id) => document.getElementById(id);
const form = at('form');

if (kind && token) {
  at('what').textContent = kind.says;
  for (const field of ['name', 'password']) {
    document.querySelector(`.${field}`).hidden = !kind.asks.includes(field);
    at(field).required = kind.asks.includes(field);
  }
  form.hidden = false;
} else {
  at('what').textContent = 'This link is not complete. Open it from the letter once more.';
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = { token };
  for (const field of kind.asks) body[field] = at(field).value;
  at('status').textContent = 'One moment ...';
  try {
    const answer = await fetch(kind.path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      form.hidden = true;
      at('status').textContent = kind.done;
    } else {
      const { error } = await answer.json();
      at('status').textContent = error.message;
    }
  } catch {
    at('status').textContent = 'The service cannot be reached. Please try again.';
  }
});
