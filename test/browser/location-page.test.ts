/** The location page as its people meet it: in GHL's frame, with GHL's word for who they are, live. */
import type { FrameLocator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, fits, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { contactOf, deliverLate } from '../support/late-delivery.ts'

const OWNER = '15550009999'
const STRANGER = '15550008888'
const ANA = '15551230001'
const DESK: Look = { width: 1_180, height: 900 }

describe('the location page', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: STRANGER, name: 'Somebody else' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    browser = await openBrowser()
  })
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  async function open(look: Look = DESK, role: 'admin' | 'user' = 'admin') {
    const { page, complaints } = await browser.page(look)
    await page.goto(stage.customPage(locationId, role))
    const app = page.frameLocator('iframe')
    await app
      .getByRole('heading', { name: 'Numbers' })
      .or(app.getByRole('heading', { name: 'Números' }))
      .waitFor()
    return { page, complaints, app, frame: frameOf(page) }
  }
  const frameOf = (page: Page) => {
    const frame = page.frames().find((each) => each.url().includes('/app'))
    if (frame === undefined) throw new Error('GHL shows no frame')
    return frame
  }
  const scan = async (app: FrameLocator, phone: string) => {
    await stage.whatsapp.scan(phone, (await app.locator('[data-qr]').getAttribute('data-qr')) ?? '')
  }
  const contactOfAna = () => contactOf(stage, locationId, ANA)

  it('lets its owner add a number by QR, refuses a wrong one, and says when it is connected', async () => {
    const { app, complaints, page } = await open()
    await app.getByText('No number yet').waitFor()
    await browser.keep(page, 'location-empty')
    await app.getByRole('button', { name: 'Add a number' }).click()
    await app.getByLabel('Country').selectOption('US')
    await app.getByLabel('Only this number').fill(OWNER.slice(1))
    await app.getByRole('button', { name: 'Show the code' }).click()
    await app.getByText('This is for +1 555 000 9999').waitFor()
    await browser.keep(page, 'location-qr')
    await scan(app, STRANGER)
    await app.getByText('Another number was scanned').first().waitFor()
    await app.getByRole('button', { name: 'Show a new code' }).click()
    await scan(app, OWNER)
    await app.getByText('+1 555 000 9999 is linked').waitFor()
    await app.getByRole('button', { name: 'Done' }).click()
    expect(await app.locator('.number').getAttribute('data-status')).toBe('ready')
    expect(complaints).toEqual([])
  })

  it('shows an agent’s reply pending, and read when the customer has read it', async () => {
    const { app, page } = await open()
    const asked = await stage.whatsapp.send(ANA, { to: OWNER, text: 'Are you open?' })
    await stage.ghl.waitForMessage(({ altId }) => altId === asked, { locationId })
    await app.locator('[data-message]').filter({ hasText: 'In GoHighLevel' }).first().waitFor()
    // Her chat is held under a LID; people know her by her name.
    const hers = app.locator('[data-message]').filter({ hasText: 'Ana' })
    await hers.filter({ hasText: '+1 555 123 0001' }).first().waitFor()
    stage.whatsapp.phone(ANA).goOffline()
    const { messageId } = stage.ghl.agentReply({ locationId, contactId: contactOfAna(), message: 'Yes' })
    const line = app.locator(`[data-message="${messageId}"]`).last()
    await line.getByText('Sent').waitFor()
    stage.whatsapp.phone(ANA).goOnline()
    const arrived = await stage.whatsapp.waitForMessage(ANA, ({ text }) => text === 'Yes')
    await line.getByText('Delivered').waitFor()
    await stage.whatsapp.phone(ANA).markRead(OWNER, [arrived.id])
    await line.getByText('Read').waitFor()
    await app.getByText('2 messages, and nothing is waiting.').waitFor()
    await browser.keep(page, 'location-day')
  })

  it('says in a sentence that a number was unlinked on the phone, and pairs it again without a reload', async () => {
    const { app, page } = await open()
    stage.whatsapp.unlink(OWNER)
    await app.locator('.number').getByText('This number was unlinked.').waitFor()
    await browser.keep(page, 'location-unlinked')
    const { messageId } = stage.ghl.agentReply({
      locationId,
      contactId: contactOfAna(),
      message: 'Still there?',
    })
    await app.getByRole('button', { name: 'Pair it again' }).click()
    await app.locator('[data-qr]').waitFor()
    await scan(app, OWNER)
    await app.getByText('+1 555 000 9999 is linked').waitFor()
    await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
  })

  it('sends a message that was held with one tap', async () => {
    const { app, page } = await open()
    const messageId = await deliverLate(stage, {
      ...{ locationId, contactId: contactOfAna(), message: 'Written long ago' },
    })
    const held = app.locator(`section[aria-labelledby=needed] [data-message="${messageId}"]`)
    await held.getByText('It reached us late').waitFor()
    await browser.keep(page, 'location-held')
    await held.getByRole('button', { name: 'Send now' }).click()
    await stage.whatsapp.waitForMessage(ANA, ({ text }) => text === 'Written long ago', 20_000)
    await held.waitFor({ state: 'detached' })
  })

  it('counts days and tells times by the clock of the location, wherever its reader is', async () => {
    const { app } = await open({ ...DESK, timezoneId: 'Asia/Tokyo' })
    const time = app.locator('section[aria-labelledby=latest] time').last()
    // At one moment: the list goes on living, and then its last line is another.
    const { at, text } = await time.evaluate(
      (each: { getAttribute(name: string): string | null; textContent: string | null }) => ({
        at: each.getAttribute('datetime'),
        text: each.textContent,
      }),
    )
    const there = new Date(at ?? '').toLocaleTimeString('en', {
      timeZone: 'America/Sao_Paulo',
      hour: 'numeric',
      minute: '2-digit',
    })
    expect(text).toContain(there)
    const answer = await stage.bridge.operator('GET', `/api/ledger/${locationId}`)
    expect(await answer.json()).toMatchObject({ timeZone: 'America/Sao_Paulo' })
  })

  it('renames a number and keeps settings', async () => {
    const { app } = await open()
    await app.getByText('More', { exact: true }).click()
    await app.getByLabel('Name').fill('Reception')
    await app.getByRole('button', { name: 'Save' }).first().click()
    await app.getByRole('heading', { name: 'Reception' }).waitFor()
    await app.getByRole('heading', { name: 'Settings' }).click()
    expect(await app.getByText('Saved', { exact: true }).count()).toBe(0)
    await app.getByRole('checkbox', { name: 'Groups' }).check()
    await app.locator('details.settings').getByRole('button', { name: 'Save' }).click()
    await app.getByText('Saved', { exact: true }).waitFor()
    const answer = await stage.bridge.operator('GET', `/ghl/location/${locationId}/settings`)
    expect(await answer.json()).toMatchObject({ groups: true })
  })

  it('shows a plain user everything and offers him nothing', async () => {
    const { app } = await open(DESK, 'user')
    await app.locator('.number').waitFor()
    expect(await app.getByRole('button', { name: 'Add a number' }).count()).toBe(0)
    expect(await app.getByText('Settings').count()).toBe(0)
  })

  it('speaks the reader’s language from one choice on', async () => {
    const { app } = await open()
    await app.getByLabel('Language').selectOption('pt-BR')
    await app.getByRole('heading', { name: 'Últimas mensagens' }).waitFor()
    await app.getByLabel('Idioma').selectOption('es')
    await app.getByRole('heading', { name: 'Últimos mensajes' }).waitFor()
  })

  it('says what to do when it is opened outside GHL', async () => {
    const { page } = await browser.page(DESK)
    await page.goto(`${stage.bridge.url}/app`)
    await page.getByRole('heading', { name: 'Open this page inside GoHighLevel' }).waitFor()
  })

  it.each(['light', 'dark'] as const)('has no barrier and fits a phone, in %s', async (colorScheme) => {
    const { page, frame, app } = await open({ width: 360, height: 740, colorScheme })
    await app.locator('[data-message]').first().waitFor()
    await app.getByText('More', { exact: true }).click()
    expect(await fits(frame)).toBe(true)
    expect(await barriers(frame)).toEqual([])
    await frame.goto(frame.url())
    await browser.keep(page, `location-phone-${colorScheme}`)
  })

  it('never shows one location to another', async () => {
    const other = stage.ghl.addLocation({ name: 'Other' }).id
    await stage.install(other)
    const answer = await fetch(`${stage.bridge.url}/api/sso`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ payload: stage.ghl.ssoPayload({ locationId: other, role: 'admin' }) }),
    })
    const { token } = (await answer.json()) as { token: string } // our own contract
    const call = (method: string, path: string) =>
      fetch(stage.bridge.url + path, { method, headers: { authorization: `Bearer ${token}` } })
    const listed = await stage.bridge.operator('GET', `/api/messages?locationId=${locationId}`)
    const theirs = (await listed.json()) as { messages: { id: string }[] } // our own contract
    const span = 'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z'
    for (const [method, path] of [
      ['GET', `/ghl/location/${locationId}/session`],
      ['GET', `/ghl/location/${locationId}/events`],
      ['GET', `/ghl/location/${locationId}/settings`],
      ['POST', `/ghl/location/${locationId}/session`],
      ['GET', `/api/messages?locationId=${locationId}`],
      ['GET', `/api/ledger/${locationId}`],
      ['GET', `/api/stats?locationId=${locationId}&${span}`],
      ['POST', `/api/messages/${theirs.messages[0]?.id}/retry`],
      ['POST', `/api/messages/${theirs.messages[0]?.id}/discard`],
    ] as const) {
      expect([path, (await call(method, path)).status]).toEqual([
        path,
        path.includes('/retry') || path.includes('/discard') ? 404 : 403,
      ])
    }
    const own = (await (await call('GET', '/api/messages')).json()) as { messages: unknown[] } // our own contract
    expect(own.messages).toEqual([])
  })
})
