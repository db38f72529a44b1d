/** What the location page says and does in states that come seldom. */
import type { FrameLocator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import english from '../../src/web/words/en.json' with { type: 'json' }
import portuguese from '../../src/web/words/pt-BR.json' with { type: 'json' }
import { barriers, fits, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { contactOf } from '../support/late-delivery.ts'

const FIRST = '15550009999'
const SECOND = '15550008888'
const ANA = '15551230001'
const STRANGER = '15551230003'
const DESK: Look = { width: 1_180, height: 900 }
const HOUR_MS = 3_600_000

describe('the location page', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: FIRST, name: 'Reception' })
    stage.whatsapp.addAccount({ phone: SECOND, name: 'Doctor' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    stage.whatsapp.addAccount({ phone: STRANGER, name: 'Sam Stranger' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.pair(locationId, FIRST)
    browser = await openBrowser()
  }, 60_000)
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  async function open(prepare?: (page: Page) => Promise<unknown>) {
    const { page, complaints } = await browser.page(DESK)
    await prepare?.(page)
    await page.goto(stage.customPage(locationId))
    const app = page.frameLocator('iframe')
    await app.locator('#numbers').waitFor()
    const frame = page.frames().find((each) => each.url().includes('/app'))
    if (frame === undefined) throw new Error('GHL shows no frame')
    return { page, app, frame, complaints }
  }
  const number = (app: FrameLocator, name: string) => app.locator('.number', { hasText: name })
  const settings = (app: FrameLocator) => app.locator('details.settings')
  const savedSettings = async (): Promise<unknown> =>
    await (await stage.bridge.operator('GET', `/ghl/location/${locationId}/settings`)).json()
  async function write(from: string, to: string, text: string): Promise<void> {
    const id = await stage.whatsapp.send(from, { to, text })
    await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
  }

  it('keeps after how many hours a message is held, and refuses in words what cannot be', async () => {
    const { app, page } = await open()
    const hours = app.getByLabel('Hold messages older than (hours)')
    const save = settings(app).getByRole('button', { name: 'Save' })
    await app.getByRole('heading', { name: 'Settings' }).click()
    for (const wrong of ['0', '168.5', '']) {
      await hours.fill(wrong)
      await settings(app).getByRole('alert').getByText('A number of hours up to 168').waitFor()
      expect([wrong, await hours.getAttribute('aria-invalid'), await save.isDisabled()]).toEqual([
        ...[wrong, 'true', true],
      ])
    }
    await hours.fill('2.5')
    expect(await settings(app).getByRole('alert').count()).toBe(0)
    await save.click()
    await app.getByText('Saved', { exact: true }).waitFor()
    expect(await savedSettings()).toMatchObject({ holdAfterMinutes: 150 })
    await page.reload()
    await app.getByRole('heading', { name: 'Settings' }).click()
    await expect.poll(() => hours.inputValue()).toBe('2.5')
    expect(await save.isDisabled()).toBe(true)
  })

  it('changes what was changed on this page, and shows what was changed on another', async () => {
    const open1 = await open()
    const open2 = await open()
    const title = (app: FrameLocator) => app.getByRole('heading', { name: 'Settings' })
    const groups = (app: FrameLocator) => app.getByRole('checkbox', { name: 'Groups' })
    const read = (app: FrameLocator) => app.getByRole('checkbox', { name: 'Read on WhatsApp' })
    const save = async (app: FrameLocator): Promise<void> => {
      await settings(app).getByRole('button', { name: 'Save' }).click()
      await app.getByText('Saved', { exact: true }).waitFor()
    }
    for (const { app } of [open1, open2]) await title(app).click()
    const before = (await savedSettings()) as { groups: boolean; markRead: boolean } // our own contract
    await groups(open1.app).setChecked(!before.groups)
    await save(open1.app)
    await read(open2.app).setChecked(!before.markRead)
    await save(open2.app)
    const after = { ...before, groups: !before.groups, markRead: !before.markRead }
    expect(await savedSettings()).toEqual(after)
    // Closed and opened again, the first one knows of the second one's change.
    await title(open1.app).click()
    await title(open1.app).click()
    await expect.poll(() => read(open1.app).isChecked()).toBe(after.markRead)
    await read(open1.app).setChecked(before.markRead)
    await groups(open1.app).setChecked(before.groups)
    await save(open1.app)
    expect(await savedSettings()).toEqual(before)
  })

  it('says how many earlier messages were brought in when a number’s past is through', async () => {
    for (let n = 1; n <= 3; n++) {
      const id = await stage.whatsapp.send(ANA, { to: SECOND, text: `past ${n}` })
      await stage.whatsapp.waitForMessage(SECOND, (message) => message.id === id)
    }
    const { app } = await open()
    await app.getByRole('heading', { name: 'Settings' }).click()
    await app.getByLabel('Bring in earlier chats (days)').fill('7')
    await settings(app).getByRole('button', { name: 'Save' }).click()
    await app.getByText('Saved', { exact: true }).waitFor()
    await stage.pair(locationId, SECOND)
    await number(app, 'Doctor').getByText('3 earlier messages were brought in.').waitFor({ timeout: 40_000 })
    expect(await number(app, 'Doctor').getByRole('progressbar').count()).toBe(0)
    const past = stage.ghl.messages(locationId).filter(({ body }) => body.startsWith('past '))
    expect(past).toHaveLength(3)
  }, 90_000)

  it('shows in its charts the figures of the chosen number, and of no other', async () => {
    for (const text of ['one', 'two', 'three']) await write(ANA, FIRST, text)
    await write(ANA, SECOND, 'four')
    const { app } = await open()
    await app.getByText('Charts').click()
    const figures = async () => ({
      drawn: await app.locator('.chart').getAttribute('aria-label'),
      counted: await app
        .locator('table.timings')
        .first()
        .locator('tbody tr')
        .first()
        .locator('td')
        .last()
        .textContent(),
      compared: await app.locator('[data-way=toGhl]').count(),
    })
    await expect.poll(figures).toEqual({ drawn: 'Messages per hour: 4 in all', counted: '4', compared: 1 })
    const choice = app.getByLabel('Number', { exact: true })
    await choice.selectOption('Reception')
    await expect.poll(figures).toEqual({ drawn: 'Messages per hour: 3 in all', counted: '3', compared: 0 })
    await choice.selectOption('Doctor')
    await expect.poll(figures).toEqual({ drawn: 'Messages per hour: 1 in all', counted: '1', compared: 0 })
    await app.getByLabel('Time', { exact: true }).selectOption('Last 7 days')
    await app.getByRole('heading', { name: 'Messages per 6 hours' }).waitFor()
    expect((await figures()).counted).toBe('1')
    await choice.selectOption('All numbers')
    await expect.poll(async () => (await figures()).counted).toBe('4')
  })

  it('says until when first contacts are locked, what waits for it, and no longer than it is so', async () => {
    const { app, page, frame } = await open()
    const locked = number(app, 'Reception').getByText('WhatsApp does not let this number start new chats')
    expect(await locked.count()).toBe(0)
    const until = new Date(Math.ceil((Date.now() + 2 * HOUR_MS) / 1_000) * 1_000)
    stage.whatsapp.lockReachOut(FIRST, until)
    await locked.waitFor()
    const there = until.toLocaleTimeString('en', {
      timeZone: 'America/Sao_Paulo',
      hour: 'numeric',
      minute: '2-digit',
    })
    expect(await locked.textContent()).toContain(`${there}.`)
    expect(await locked.textContent()).toContain('Existing chats go on')
    // The number is well, and nothing is to be pressed.
    await number(app, 'Reception').getByText('Connected', { exact: true }).waitFor()
    const stranger = stage.ghl.contacts.add(locationId, { phone: `+${STRANGER}` }).id
    const { messageId } = stage.ghl.agentReply({ locationId, contactId: stranger, message: 'An offer' })
    const waiting = app.locator(`section[aria-labelledby=waiting] [data-message="${messageId}"]`)
    await waiting.getByText('WhatsApp lets this number start no new chats for now.').waitFor()
    await waiting.getByText(`expected at ${there}`).waitFor()
    await browser.keep(page, 'location-locked')
    expect(await barriers(frame)).toEqual([])
    // A chat that exists goes on meanwhile.
    stage.ghl.agentReply({ locationId, contactId: contactOf(stage, locationId, ANA), message: 'A reply' })
    await stage.whatsapp.waitForMessage(ANA, ({ text }) => text === 'A reply')
    stage.whatsapp.lockReachOut(FIRST, undefined)
    await locked.waitFor({ state: 'detached' })
  }, 60_000)

  it.each([
    ['refuses it', `{ get: () => ({ writeText: () => Promise.reject(new Error('no')) }) }`],
    ['has none, as without https', '{ get: () => undefined }'],
  ])('has its link copied by hand where the browser’s clipboard %s', async (_how, clipboard) => {
    const { app, page, frame } = await open((fresh) =>
      fresh.addInitScript(`Object.defineProperty(navigator, 'clipboard', ${clipboard})`),
    )
    await app.getByRole('button', { name: 'Add a number' }).click()
    await app.getByRole('button', { name: 'Show the code' }).click()
    const dialog = app.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Get a link for the phone’s owner' }).click()
    await dialog.getByText('Copy it and send it.').waitFor()
    expect(await dialog.getByRole('alert').count()).toBe(0)
    await dialog.getByRole('button', { name: 'Copy' }).click()
    await dialog.getByText('Your browser does not let us copy. It is selected').waitFor()
    await browser.keep(page, 'location-copy')
    const link = await dialog.getByRole('textbox').last().inputValue()
    expect(link).toContain('/pair/')
    expect(await frame.evaluate('getSelection().toString()')).toBe(link)
    expect(await dialog.getByRole('button', { name: 'Copied' }).count()).toBe(0)
    await page.keyboard.press('Escape')
    const card = number(app, 'New number')
    await card.getByText('More').click()
    await card.getByRole('button', { name: 'Remove' }).click()
    await app.getByRole('button', { name: 'Remove it' }).click()
    await card.waitFor({ state: 'detached' })
  })

  it('says why when its messages cannot be read, and shows them when they can', async () => {
    let isBroken = true
    const { app, page } = await open((fresh) =>
      fresh.route('**/api/messages?**', async (route) => {
        const error = { code: 'STORE_UNAVAILABLE', message: 'no', action: null }
        if (isBroken) await route.fulfill({ status: 503, json: { error } })
        else await route.continue()
      }),
    )
    await app.getByRole('alert').getByText('The database could not be reached.').waitFor()
    await browser.keep(page, 'location-unread')
    isBroken = false
    await write(ANA, FIRST, 'Here again')
    await app.locator('[data-message]').filter({ hasText: 'Here again' }).waitFor()
    expect(await app.getByRole('alert').count()).toBe(0)
  })
})

describe('a page of a location without the app', () => {
  let stage: Stage
  let browser: OpenBrowser
  beforeAll(async () => {
    stage = await Stage.set()
    await stage.bridge.start()
    browser = await openBrowser()
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  it.each([
    ['en-US', english],
    ['pt-BR', portuguese],
  ])('is a card that says so, in %s', async (locale, words) => {
    const locationId = stage.ghl.addLocation({ name: 'Not yet' }).id
    for (const width of [360, 1_180]) {
      const { page } = await browser.page({ width, height: 740, locale })
      await page.goto(stage.customPage(locationId))
      const app = page.frameLocator('iframe')
      const title = words['refused.title']
      await app.getByRole('heading', { name: title, level: 1 }).waitFor()
      expect(await app.getByRole('status').last().locator(':scope > *').allTextContents()).toEqual([
        title,
        ...[words['failure.LOCATION_UNKNOWN'], words.again],
      ])
      const frame = page.frames().find((each) => each.url().includes('/app'))
      if (frame === undefined) throw new Error('GHL shows no frame')
      expect([await fits(frame), await barriers(frame)]).toEqual([true, []])
      await browser.keep(page, `location-without-app-${width}`)
      await page.goto('about:blank')
    }
  })
})

describe('a page whose reader GHL does not vouch for', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string

  beforeAll(async () => {
    stage = await Stage.set({ env: { GHL_SHARED_SECRET: 'not-the-secret-that-ghl-seals-with' } })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    browser = await openBrowser()
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  it.each([
    ['en-US', english],
    ['pt-BR', portuguese],
  ])('is a card that says what to do and nothing else, in %s', async (locale, words) => {
    const title = words['refused.title']
    for (const width of [360, 1_180]) {
      const { page } = await browser.page({ width, height: 740, locale })
      let logins = 0
      page.on('response', (answer) => {
        if (answer.url().endsWith('/api/sso') && answer.status() === 401) logins += 1
      })
      await page.goto(stage.customPage(locationId))
      const app = page.frameLocator('iframe')
      await app.getByRole('heading', { name: title, level: 1 }).waitFor()
      expect(await app.getByRole('status').last().locator(':scope > *').allTextContents()).toEqual([
        title,
        ...[words['failure.SSO_REFUSED'], words['refused.do'], words.again],
      ])
      const frame = page.frames().find((each) => each.url().includes('/app'))
      if (frame === undefined) throw new Error('GHL shows no frame')
      expect([await fits(frame), await barriers(frame)]).toEqual([true, []])
      await browser.keep(page, `location-refused-${width}`)
      const before = logins
      await app.getByRole('button', { name: words.again }).click()
      await expect.poll(() => logins).toBe(before + 1)
      await app.getByRole('heading', { name: title }).waitFor()
      await page.goto('about:blank')
    }
  })
})
