// Runs in the browser, as it is. Draws the state of one number and lets its owner try again.
const page = document.getElementById('page')
const part = (id) => document.getElementById(id)

const HEADLINES = {
  initializing: 'One moment…',
  qr: 'Scan this code with WhatsApp',
  pairing: 'Type this code on your phone',
  connecting: 'Connecting…',
  ready: 'Connected',
  disconnected: 'Reconnecting…',
  logged_out: 'Not connected',
  replaced: 'Another copy is running',
  restricted: 'WhatsApp has restricted this number',
  banned: 'WhatsApp has blocked this number',
  outdated: 'This bridge needs an update',
}

const LAST_STEP = {
  qr: 'Point the camera at this code.',
  pairing: 'Choose “Link with phone number instead” and type the code above.',
}

function show(session) {
  page.dataset.status = session.status
  part('headline').textContent = HEADLINES[session.status]
  part('explain').textContent = explain(session)
  part('qr').hidden = session.status !== 'qr'
  part('code').hidden = session.pairingCode === null
  part('code').textContent = session.pairingCode?.replace(/^(.{4})/, '$1-') ?? ''
  part('steps').hidden = !(session.status in LAST_STEP)
  part('last-step').textContent = LAST_STEP[session.status] ?? ''
  part('again').hidden = session.status !== 'logged_out'
}

function explain({ status, phoneNumber, problem }) {
  if (problem !== null) return `${problem.message} ${problem.action}`
  return status === 'ready' ? `${phoneNumber} is linked. You can close this page.` : ''
}

// EventSource comes back by itself after a drop; the first event after that is the whole state again.
const events = new EventSource(`${location.pathname}/events`)
events.addEventListener('session', (event) => show(JSON.parse(event.data)))
events.addEventListener('drawing', (event) => {
  part('qr').innerHTML = JSON.parse(event.data)
})
events.addEventListener('error', () => {
  if (events.readyState === EventSource.CLOSED) location.reload()
})

part('again').addEventListener('click', () => fetch(`${location.pathname}/restart`, { method: 'POST' }))
