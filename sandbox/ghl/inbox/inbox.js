// Keeps the two live regions fresh, sends the composer, and stays out of the reader's way.
const app = document.querySelector('.app')
const { location: locationId, contact: contactId } = app.dataset
const threads = document.querySelector('#threads')
const thread = document.querySelector('#thread')
const view = new URLSearchParams({ location: locationId, contact: contactId })

const bubbles = () => thread.querySelector('.bubbles')
const toBottom = () => bubbles()?.scrollTo({ top: bubbles().scrollHeight })

async function refresh() {
  const list = bubbles()
  const atBottom = !list || list.scrollHeight - list.scrollTop - list.clientHeight < 80
  const scrollTop = list?.scrollTop ?? 0
  const [left, right] = await Promise.all(
    ['threads', 'thread'].map((part) => fetch(`/_inbox/${part}?${view}`).then((answer) => answer.text())),
  )
  threads.innerHTML = left
  // A player that is running must not be torn out of the page.
  const playing = [...thread.querySelectorAll('audio, video')].some((player) => !player.paused)
  if (playing) return
  thread.innerHTML = right
  if (atBottom) toBottom()
  else bubbles()?.scrollTo({ top: scrollTop })
}

let running = false
let again = false
async function refreshSoon() {
  if (running) {
    again = true
    return
  }
  running = true
  try {
    do {
      again = false
      await refresh()
    } while (again)
  } catch {
    // The sandbox went away for a moment; the event stream reconnects and calls again.
  } finally {
    running = false
  }
}

const events = new EventSource(`/_inbox/events?${view}`)
events.addEventListener('change', refreshSoon)
events.addEventListener('open', refreshSoon)

document.querySelector('#location').addEventListener('change', (event) => event.target.form.requestSubmit())

const composer = document.querySelector('#composer')
if (composer) {
  const text = composer.elements.message
  const file = composer.elements.file
  const chosen = document.querySelector('#chosen')
  const trouble = document.querySelector('#trouble')

  const grow = () => {
    text.style.height = 'auto'
    text.style.height = `${Math.min(text.scrollHeight, 160)}px`
  }
  const showChosen = () => {
    chosen.textContent = [...file.files].map(({ name }) => name).join(', ')
  }
  text.addEventListener('input', grow)
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    composer.requestSubmit()
  })
  text.addEventListener('paste', (event) => {
    if (event.clipboardData.files.length === 0) return
    file.files = event.clipboardData.files
    showChosen()
  })
  file.addEventListener('change', showChosen)
  composer.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (!text.value.trim() && file.files.length === 0) return
    const body = new FormData(composer)
    composer.classList.add('busy')
    trouble.textContent = ''
    try {
      const answer = await fetch(`/_inbox/reply?${view}`, { method: 'POST', body })
      if (!answer.ok) throw new Error((await answer.json()).message)
      composer.reset()
      showChosen()
      grow()
      await refreshSoon()
      toBottom()
    } catch (error) {
      trouble.textContent = `Not sent: ${error.message}`
    } finally {
      composer.classList.remove('busy')
      text.focus()
    }
  })
}

thread.addEventListener('click', async (event) => {
  const messageId = event.target.dataset?.retry
  if (messageId) await fetch(`/_inbox/retry/${messageId}`, { method: 'POST' })
})

toBottom()
// Pictures arrive after the first scroll.
thread.addEventListener('load', (event) => event.target.tagName === 'IMG' && toBottom(), { capture: true })
