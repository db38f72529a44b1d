/**
 * The inbox where a person plays the agent. Rendered on the server; the script only swaps the two live regions
 * (`#threads`, `#thread`) when something changed, and sends the composer without leaving the page.
 */
import { contactsOf, fullName } from '../contacts.ts'
import { contentTypeOf } from '../files.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import type { Contact, Conversation, Location, Message, MessageStatus } from '../world.ts'
import { html, type Markup } from './html.ts'
import { document } from './layout.ts'

const paperclip = html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M20.5 11.5 12 20a5.6 5.6 0 0 1-8-8l8.6-8.6a3.8 3.8 0 0 1 5.4 5.4l-8.6 8.5a1.9 1.9 0 0 1-2.7-2.7l7.8-7.8"/></svg>`

interface InboxView {
  locationId?: string | undefined
  contactId?: string | undefined
}

export function inboxPage(parts: SandboxParts, view: InboxView): string {
  const locations = [...parts.world.locations.values()]
  const location = locations.find(({ id }) => id === view.locationId) ?? locations[0]
  const contact = contactIn(parts, location, view.contactId)
  const body = html`<div class="app ${contact ? 'with-thread' : ''}" data-location="${location?.id}" data-contact="${contact?.id}">
  <aside class="side">
    <header class="side-head">
      <div class="brand"><span class="mark" aria-hidden="true"></span><div><strong>Inbox</strong><small class="muted">GoHighLevel sandbox</small></div></div>
      <form method="get" action="/"><label class="sr" for="location">Location</label>
        <select id="location" name="location">${locations.map((each) => locationOption(each, location))}</select>
        <noscript><button>Go</button></noscript>
      </form>
    </header>
    <nav id="threads" class="threads" aria-label="Conversations">${threadList(parts, location, contact)}</nav>
  </aside>
  <section class="main">
    <div id="thread" class="thread">${threadView(parts, contact)}</div>
    ${contact ? composer() : undefined}
  </section>
</div>`
  return document('Inbox - GoHighLevel sandbox', 'inbox', body)
}

/** The list on the left alone, to be swapped in. */
export function threadsFragment(parts: SandboxParts, view: InboxView): string {
  const location = parts.world.locations.get(view.locationId ?? '')
  return threadList(parts, location, contactIn(parts, location, view.contactId)).html
}

/** The open thread alone, to be swapped in. */
export function threadFragment(parts: SandboxParts, view: InboxView): string {
  const location = parts.world.locations.get(view.locationId ?? '')
  return threadView(parts, contactIn(parts, location, view.contactId)).html
}

function contactIn(parts: SandboxParts, location: Location | undefined, contactId: string | undefined) {
  const contact = parts.world.contacts.get(contactId ?? '')
  return contact?.locationId === location?.id ? contact : undefined
}

function locationOption(each: Location, chosen: Location | undefined): Markup {
  const state = each.installedAt ? '' : ' (not connected)'
  return html`<option value="${each.id}" ${each === chosen ? 'selected' : ''}>${each.name}${state}</option>`
}

function threadList(parts: SandboxParts, location: Location | undefined, open: Contact | undefined): Markup {
  if (!location) return html`<p class="empty">No location yet.</p>`
  const rows = contactsOf(parts.world, location.id)
    .map((contact) => ({ contact, conversation: parts.world.conversationOfContact.get(contact.id) }))
    .sort((a, b) => activityMs(b) - activityMs(a))
  if (rows.length === 0) {
    return html`<p class="empty">No conversations yet.<br>They appear here when a customer writes.</p>`
  }
  return html`<ul>${rows.map((row) => threadRow(row.contact, row.conversation, open))}</ul>`
}

function activityMs(row: { contact: Contact; conversation: Conversation | undefined }): number {
  return (row.conversation?.dateUpdated ?? row.contact.dateAdded).getTime()
}

function threadRow(
  contact: Contact,
  conversation: Conversation | undefined,
  open: Contact | undefined,
): Markup {
  const last = conversation?.messages.at(-1)
  const unread = conversation?.unreadCount ?? 0
  const preview = last
    ? `${last.direction === 'outbound' ? 'You: ' : ''}${last.body || 'Attachment'}`
    : 'No messages yet'
  const link = `/?location=${contact.locationId}&contact=${contact.id}`
  return html`<li><a class="row ${contact === open ? 'open' : ''} ${unread > 0 ? 'unread' : ''}" href="${link}" ${contact === open ? 'aria-current=page' : ''}>
    ${avatar(contact)}
    <span class="row-text"><span class="row-top"><strong>${titleOf(contact)}</strong>${last ? clockOf(last.dateAdded) : undefined}</span>
    <span class="row-bottom"><span class="preview">${preview}</span>${unread > 0 ? html`<span class="badge">${unread}</span>` : undefined}</span></span>
  </a></li>`
}

function threadView(parts: SandboxParts, contact: Contact | undefined): Markup {
  if (!contact) {
    return html`<div class="empty center"><span class="mark big" aria-hidden="true"></span><p>Choose a conversation to read and answer it.</p></div>`
  }
  const messages = parts.world.conversationOfContact.get(contact.id)?.messages ?? []
  return html`<header class="thread-head">
    <a class="back" href="/?location=${contact.locationId}" aria-label="Back to conversations">&#8249;</a>
    ${avatar(contact)}
    <div><strong>${titleOf(contact)}</strong><small class="muted">${contact.text.phone ?? 'no phone'}${contact.tags.map((tag) => html`<span class="tag">${tag}</span>`)}</small></div>
  </header>
  <ol class="bubbles" tabindex="0" aria-label="Messages">${messages.map((message, index) => bubble(message, messages[index - 1]))}</ol>`
}

function bubble(message: Message, previous: Message | undefined): Markup {
  const day = dayOf(message.dateAdded)
  const newDay = !previous || dayOf(previous.dateAdded) !== day
  const side = message.channel === 'InternalComment' ? 'note' : message.direction
  return html`${newDay ? html`<li class="day"><span>${day}</span></li>` : undefined}<li class="bubble ${side} ${message.status === 'failed' ? 'failed' : ''}">
    ${message.attachments.map(attachment)}
    ${message.body ? html`<p>${message.body}</p>` : undefined}
    <span class="meta">${clockOf(message.dateAdded)}${side === 'outbound' ? statusMark(message) : undefined}</span>
    ${message.status === 'failed' && message.direction === 'outbound' ? failure(message) : undefined}
  </li>`
}

const STATUS_WORDS: Record<MessageStatus, { ticks: string; word: string }> = {
  pending: { ticks: '\u25F7', word: 'Pending' },
  sent: { ticks: '\u2713', word: 'Sent' },
  delivered: { ticks: '\u2713\u2713', word: 'Delivered' },
  read: { ticks: '\u2713\u2713', word: 'Read' },
  failed: { ticks: '!', word: 'Failed' },
}

function statusMark(message: Message): Markup {
  const { ticks, word } = STATUS_WORDS[message.status]
  // Logged from the phone: GHL sent nothing, so there is no delivery to report.
  if (!message.forProvider) return html`<span class="status logged">Logged</span>`
  return html`<span class="status ${message.status}"><span class="ticks" aria-hidden="true">${ticks}</span> ${word}</span>`
}

function failure(message: Message): Markup {
  return html`<span class="reason">${message.error?.message ?? 'Not delivered'}</span>
    ${message.forProvider ? html`<button class="retry" type="button" data-retry="${message.id}">Try again</button>` : undefined}`
}

function attachment(url: string): Markup {
  const name = decodeURIComponent(url.split('/').at(-1)?.split('?')[0] ?? 'file')
  const kind = contentTypeOf(name).split('/')[0]
  if (kind === 'image')
    return html`<a class="media" href="${url}"><img src="${url}" alt="${name}" loading="lazy"></a>`
  if (kind === 'video') return html`<video class="media" src="${url}" controls preload="metadata"></video>`
  if (kind === 'audio') return html`<audio src="${url}" controls preload="metadata"></audio>`
  return html`<a class="file" href="${url}">${paperclip} ${name}</a>`
}

function composer(): Markup {
  return html`<form id="composer" class="composer">
    <label class="clip" title="Attach files"><input class="sr" type="file" name="file" multiple aria-label="Attach files">${paperclip}</label>
    <div class="field"><div id="chosen" class="chosen" aria-live="polite"></div>
    <textarea name="message" rows="1" placeholder="Write a message" aria-label="Message" autofocus></textarea></div>
    <button class="send" aria-label="Send">Send</button>
    <p id="trouble" class="trouble" role="alert"></p>
  </form>`
}

function titleOf(contact: Contact): string {
  return fullName(contact) || contact.text.phone || contact.text.email || 'Unnamed contact'
}

function avatar(contact: Contact): Markup {
  const words = fullName(contact).split(' ').filter(Boolean)
  const initials =
    words.length > 0
      ? words
          .slice(0, 2)
          .map((word) => [...word][0] ?? '')
          .join('')
      : '#'
  const hue = [...contact.id].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7)
  return html`<span class="avatar" style="--hue:${hue}" aria-hidden="true">${initials.toUpperCase()}</span>`
}

function clockOf(date: Date): Markup {
  const shown = date.toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false })
  return html`<time datetime="${date.toISOString()}">${shown}</time>`
}

function dayOf(date: Date): string {
  return date.toLocaleDateString('en', { weekday: 'long', day: 'numeric', month: 'long' })
}
