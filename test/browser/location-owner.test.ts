/** What an owner does on the location page now and then: the small tasks, without a mouse, over a long visit, in his language. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Frame, FrameLocator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import spanish from '../../src/web/words/es.json' with { type: 'json' }
import portuguese from '../../src/web/words/pt-BR.json' with { type: 'json' }
import { barriers, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { contactOf, deliverLate } from '../support/late-delivery.ts'

const FIRST = '15550009999'
const SECOND = '15550008888'
const ANA = '15551230001'
const PAST = 40
/** The page's clock can be put forward; the server's stays. */
const MOVABLE_CLOCK = '{ const now = Date.now; Date.now = () => now() + (globalThis.clockAheadMs ?? 0) }'
const DESK: Look = { width: 1_180, height: 900 }

describe('on the location page its owner', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string
  let sessionId: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: FIRST, name: 'Reception' })
    stage.whatsapp.addAccount({ phone: SECOND, name: 'Doctor' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    sessionId = await stage.pair(locationId, FIRST)
    const id = await stage.whatsapp.send(ANA, { to: FIRST, text: 'Hello' })
    await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    browser = await openBrowser()
  }, 60_000)
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  const isOurs = (frame: Frame) => frame.url().includes('/app')
  async function open(look: Look = DESK, prepare?: (page: Page) => Promise<unknown>) {
    const { page, complaints } = await browser.page(look)
    await prepare?.(page)
    await page.goto(stage.customPage(locationId))
    const app = page.frameLocator('iframe')
    await app.locator('#numbers').waitFor()
    const frame = page.frames().find(isOurs)
    if (frame === undefined) throw new Error('GHL shows no frame')
    return { page, app, frame, complaints }
  }
  const number = (app: FrameLocator, name: string) => app.locator('.number', { hasText: name })
  const scan = async (app: FrameLocator, phone: string) => {
    await stage.whatsapp.scan(phone, (await app.locator('[data-qr]').getAttribute('data-qr')) ?? '')
  }
  it('connects a number with the keyboard alone', async () => {
    const { page, app } = await open()
    const focused = () => app.locator(':focus')
    /** Tabs until the wanted control has the focus, as far as anybody would. */
    const tabTo = async (name: string) => {
      for (let press = 0; press < 40; press++) {
        await page.keyboard.press('Tab')
        const label = await focused()
          .evaluate(
            (control: { textContent: string | null; labels?: ArrayLike<{ textContent: string | null }> }) =>
              `${control.labels?.[0]?.textContent ?? ''} ${control.textContent ?? ''}`,
            undefined,
            { timeout: 1_000 },
          )
          .catch(() => '')
        if (label.includes(name)) return
      }
      throw new Error(`the keyboard does not reach “${name}”`)
    }
    await page.locator('iframe').focus()
    await tabTo('Add a number')
    await page.keyboard.press('Enter')
    await app.getByRole('dialog').waitFor()
    await tabTo('Only this number')
    await page.keyboard.type(`+${SECOND}`)
    await tabTo('Show the code')
    await page.keyboard.press('Enter')
    await app.getByText('This is for +1 555 000 8888').waitFor()
    await app.locator('[data-qr]').waitFor()
    // Escape closes it and the pairing can be gone on with.
    await page.keyboard.press('Escape')
    await app.getByRole('dialog').waitFor({ state: 'detached' })
    await tabTo('Go on with pairing')
    await page.keyboard.press('Space')
    await app.locator('[data-qr]').waitFor()
    await scan(app, SECOND)
    await tabTo('Done')
    await page.keyboard.press('Enter')
    await app.getByRole('dialog').waitFor({ state: 'detached' })
    await expect.poll(() => number(app, 'Doctor').getAttribute('data-status')).toBe('ready')
  })

  it('makes another number the default', async () => {
    const { app } = await open()
    await number(app, 'Reception').getByText('Default').waitFor()
    await number(app, 'Doctor').getByText('More').click()
    await number(app, 'Doctor').getByRole('button', { name: 'Make it the default' }).click()
    await number(app, 'Doctor').getByText('Default', { exact: true }).waitFor()
    expect(await number(app, 'Reception').getByText('Default', { exact: true }).count()).toBe(0)
  })

  it('compares his numbers, and looks at every dialog and chart, without a barrier', async () => {
    for (const to of [FIRST, SECOND, SECOND]) {
      const id = await stage.whatsapp.send(ANA, { to, text: 'Hello again' })
      await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    }
    for (const colorScheme of ['light', 'dark'] as const) {
      const { app, frame, page } = await open({ ...DESK, colorScheme })
      await app.getByText('Charts').click()
      await app.locator('.chart canvas').waitFor()
      const compared = app.locator('[data-way=toGhl] tbody tr')
      await compared.nth(1).waitFor()
      expect((await compared.locator('th').allTextContents()).sort()).toEqual(['Doctor', 'Reception'])
      await browser.keep(page, `location-charts-${colorScheme}`)
      await app
        .locator('.charts')
        .screenshot({ path: `test-artifacts/location-charts-only-${colorScheme}.png` })
      expect(await barriers(frame)).toEqual([])
      await app.getByRole('button', { name: 'Add a number' }).click()
      await app.getByRole('dialog').waitFor()
      expect(await barriers(frame)).toEqual([])
      await page.keyboard.press('Escape')
      await number(app, 'Doctor').getByText('More').click()
      await number(app, 'Doctor').getByRole('button', { name: 'Log out' }).click()
      await app.getByRole('dialog').getByText('The number is unlinked from WhatsApp').waitFor()
      expect(await barriers(frame)).toEqual([])
      await page.keyboard.press('Escape')
    }
  })

  it('discards a message that was held, and GHL shows that it failed', async () => {
    const { app } = await open()
    const contactId = contactOf(stage, locationId, ANA)
    const messageId = await deliverLate(stage, { locationId, contactId, message: 'Too late' })
    const held = app.locator(`section[aria-labelledby=needed] [data-message="${messageId}"]`)
    await held.getByRole('button', { name: 'Discard' }).click()
    await held.getByRole('button', { name: 'Yes, discard' }).click()
    await held.waitFor({ state: 'detached' })
    await app.locator(`[data-message="${messageId}"]`).getByText('Discarded', { exact: true }).waitFor()
    await stage.ghl.waitForStatus(messageId, 'failed', 20_000)
    expect(stage.whatsapp.messages(ANA).some(({ text }) => text === 'Too late')).toBe(false)
  })

  it('stays logged in for longer than one token lasts, without noticing', async () => {
    const { page, app, frame } = await open(DESK, (fresh) => fresh.addInitScript(MOVABLE_CLOCK))
    const logins: string[] = []
    page.on('request', (request) => {
      if (request.url().endsWith('/api/sso')) logins.push(request.url())
    })
    await frame.evaluate('globalThis.clockAheadMs = 14.5 * 60_000')
    await expect.poll(() => logins.length, { timeout: 20_000 }).toBeGreaterThan(0)
    await frame.evaluate('globalThis.clockAheadMs = 0')
    await app.getByText('More').first().click()
    await app.getByLabel('Name').first().fill('Front desk')
    await app.getByRole('button', { name: 'Save' }).first().click()
    await number(app, 'Front desk').waitFor()
    const renamed = await stage.bridge.operator('PATCH', `/ghl/location/${locationId}/session/${sessionId}`, {
      name: 'Reception',
    })
    expect(renamed.status).toBe(200)
  })

  it('sees live again what happens after the server was away', async () => {
    const { app } = await open()
    await stage.bridge.stop()
    await app.getByText('The connection is interrupted').waitFor()
    await stage.bridge.start()
    await app.getByText('The connection is interrupted').waitFor({ state: 'hidden', timeout: 30_000 })
    await stage.sessionUntil(locationId, sessionId, ({ status }) => status === 'ready')
    await stage.bridge.operator('PATCH', `/ghl/location/${locationId}/session/${sessionId}`, { name: 'Back' })
    await number(app, 'Back').waitFor()
    await stage.bridge.operator('PATCH', `/ghl/location/${locationId}/session/${sessionId}`, {
      name: 'Reception',
    })
    await number(app, 'Reception').waitFor()
  }, 90_000)

  it('logs a number out only after he has said so twice, and brings in its past when it comes back', async () => {
    const { app, page } = await open()
    await number(app, 'Doctor').getByText('More').click()
    await number(app, 'Doctor').getByRole('button', { name: 'Log out' }).click()
    await app.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await app.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await number(app, 'Doctor').count()).toBe(1)
    await number(app, 'Doctor').getByRole('button', { name: 'Log out' }).click()
    await app.getByRole('button', { name: 'Log this number out' }).click()
    await number(app, 'Doctor').waitFor({ state: 'detached' })
    expect(stage.whatsapp.stats().logouts.some(({ phone }) => phone === SECOND)).toBe(true)

    for (let n = 0; n < PAST; n++) {
      const id = await stage.whatsapp.send(ANA, { to: SECOND, text: `past ${n}` })
      await stage.whatsapp.waitForMessage(SECOND, (message) => message.id === id)
    }
    await app.getByRole('heading', { name: 'Settings' }).click()
    await app.getByLabel('Bring in earlier chats (days)').fill('1.5')
    await app.getByText('A whole number from 0 to 90.').waitFor()
    await app.getByLabel('Bring in earlier chats (days)').fill('30')
    await app.locator('details.settings').getByRole('button', { name: 'Save' }).click()
    await app.getByText('Saved', { exact: true }).waitFor()
    await app.getByRole('button', { name: 'Add a number' }).click()
    await app.getByRole('button', { name: 'Show the code' }).click()
    await app.locator('[data-qr]').waitFor()
    await scan(app, SECOND)
    await app.getByRole('button', { name: 'Done' }).click()
    const bar = number(app, 'Doctor').getByRole('progressbar')
    await bar.waitFor()
    await expect.poll(() => bar.getAttribute('max'), { timeout: 20_000 }).not.toBe('1')
    await browser.keep(page, 'location-history')
    const done = async () => Number(await bar.getAttribute('value'))
    const before = await done()
    await expect.poll(done, { timeout: 30_000 }).toBeGreaterThan(before)
    await bar.waitFor({ state: 'detached', timeout: 60_000 })
    expect(await app.locator('section[aria-labelledby=today]').textContent()).not.toContain(String(PAST))
  }, 150_000)

  it('gives the phone’s owner a link by a button, and it works there', async () => {
    const { app } = await open()
    await app.getByRole('button', { name: 'Add a number' }).click()
    await app.getByRole('button', { name: 'Show the code' }).click()
    await app.getByRole('button', { name: 'Get a link for the phone’s owner' }).click()
    const link = await app.getByRole('dialog').getByRole('textbox').last().inputValue()
    expect(link).toMatch(new RegExp(`^${stage.bridge.url}/pair/[A-Za-z0-9_-]{32}$`))
    const phone = await browser.page({ width: 360, height: 740 })
    await phone.page.goto(link)
    await phone.page.getByRole('heading', { name: 'Scan this code with WhatsApp' }).waitFor()
    expect(phone.complaints).toEqual([])
  })

  it.each([
    ['es-MX', spanish],
    ['pt-BR', portuguese],
  ] as const)(
    'reads in %s that a number was logged out on the phone, and what to do',
    async (locale, words) => {
      const { app, page } = await open({ ...DESK, locale })
      const card = app.locator('.number[data-status=ready]', { hasText: 'Reception' })
      await card.waitFor()
      stage.whatsapp.unlink(FIRST)
      const unlinked = app.locator('.number[data-status=logged_out]')
      await unlinked.waitFor()
      const said = await unlinked.textContent()
      for (const key of ['status.logged_out', 'problem.LOGGED_OUT', 'problem.LOGGED_OUT.do'] as const)
        expect(said).toContain(words[key])
      await browser.keep(page, `location-unlinked-${locale}`)
      await unlinked.getByRole('button', { name: words['cure.pairAgain'] }).click()
      await app.locator('[data-qr]').waitFor()
      await scan(app, FIRST)
      await stage.sessionUntil(locationId, sessionId, ({ status }) => status === 'ready')
    },
  )

  it('finds the page in the frames of GHL and of his own agency, and in no others', async () => {
    const event = (location: string, companyId: string, domain: string) => ({
      type: 'INSTALL',
      appId: stage.ghl.clientId.split('-')[0],
      ...{ installType: 'Location', locationId: location, companyId, webhookId: `${location}-install` },
      ...{ timestamp: new Date().toISOString(), isWhitelabelCompany: true, whitelabelDetails: { domain } },
    })
    const theirs = 'LocationOfAnother01'
    for (const installed of [
      event(locationId, stage.ghl.companyId, 'crm.agency.example'),
      event(theirs, 'anotherAgency', 'crm.rival.example'),
    ]) {
      const body = JSON.stringify(installed)
      const answer = await fetch(`${stage.bridge.url}/ghl/webhook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-ghl-signature': stage.ghl.deliveries.sign(body) },
        body,
      })
      expect(answer.status).toBe(200)
    }
    const framesOf = async (location: string): Promise<string> => {
      const { headers } = await fetch(`${stage.bridge.url}/app?location=${location}`)
      return headers.get('content-security-policy')?.split('frame-ancestors')[1] ?? ''
    }
    await expect.poll(() => framesOf(locationId)).toContain('https://crm.agency.example')
    await expect.poll(() => framesOf(theirs)).toContain('https://crm.rival.example')
    expect(await framesOf(locationId)).not.toContain('rival')
    expect(await framesOf(theirs)).not.toContain('crm.agency')
    expect(await framesOf(locationId)).toContain('https://app.gohighlevel.com')

    const stranger = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end(`<iframe src="${stage.bridge.url}/app?location=${locationId}"></iframe>`)
    }).listen(0, '127.0.0.1')
    await once(stranger, 'listening')
    const { port } = stranger.address() as AddressInfo // it listens on a port
    const { page, complaints } = await browser.page(DESK)
    await page.goto(`http://127.0.0.1:${port}/`)
    await expect.poll(() => complaints.join()).toContain('frame-ancestors')
    expect(page.frames().some(isOurs)).toBe(false)
    stranger.close()
  })
})
