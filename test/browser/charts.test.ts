/** The charts of a location and of the console: they follow what happens, for whom and for when was chosen, and say what they could not do. */
import type { Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { contactOf } from '../support/late-delivery.ts'

const FIRST = '15550009999'
const SECOND = '15550008888'
const ANA = '15551230001'
const DESK: Look = { width: 1_180, height: 900 }
const REFUSAL = { error: { code: 'STORE_UNAVAILABLE', message: 'no', action: null } }
const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
const refuse = (route: Route) => route.fulfill({ status: 503, json: REFUSAL })

describe('the charts', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: FIRST, name: 'Reception' })
    stage.whatsapp.addAccount({ phone: SECOND, name: 'Doctor' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.pair(locationId, FIRST)
    await stage.pair(locationId, SECOND)
    await write('the first')
    browser = await openBrowser()
  }, 60_000)
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  async function write(text: string, to = FIRST): Promise<void> {
    const id = await stage.whatsapp.send(ANA, { to, text })
    await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
  }
  async function open(prepare?: (page: Page) => Promise<unknown>) {
    const { page, complaints } = await browser.page(DESK)
    await prepare?.(page)
    await page.goto(stage.customPage(locationId))
    const app = page.frameLocator('iframe')
    await app.getByText('Charts').click()
    const frame = page.frames().find((each) => each.url().includes('/app'))
    if (frame === undefined) throw new Error('GHL shows no frame')
    return { page, app, frame, complaints }
  }
  async function openFigures(place = 'figures') {
    const { page } = await browser.page(DESK)
    await page.goto(`${stage.bridge.url}/console#/${place}`)
    await page.getByLabel('Operator’s key').fill(stage.bridge.apiKey)
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.getByRole('navigation', { name: 'Parts of the console' }).waitFor()
    return page
  }
  /** How many messages a chart says it shows. */
  const drawn = async (where: Pick<Page, 'locator'> | ReturnType<Page['frameLocator']>): Promise<number> => {
    const label = (await where.locator('.chart').getAttribute('aria-label')) ?? ''
    return Number(/(\d+) in all/.exec(label)?.[1])
  }
  /** Longer than the charts rest between two looks. */
  const PATIENCE = { timeout: 25_000 }

  it('follow the messages that come while they are open, on both pages', async () => {
    const { app } = await open()
    await app.locator('.chart canvas').waitFor()
    const figures = await openFigures()
    await figures.locator('.chart canvas').waitFor()
    const before = await drawn(app)
    for (const text of ['one more', 'two more', 'three more']) await write(text)
    await expect.poll(() => drawn(app), PATIENCE).toBe(before + 3)
    await expect.poll(() => drawn(figures), PATIENCE).toBe(before + 3)
    await app.locator('.chart canvas').waitFor()
  }, 90_000)

  it('look by themselves once a minute, when nobody can tell that something has moved', async () => {
    const { app, page } = await open(async (fresh) => {
      await fresh.clock.install()
      await fresh.route('**/api/messages?**', refuse)
    })
    await app.locator('.chart').waitFor()
    const before = await drawn(app)
    await write('unheard of')
    await page.clock.fastForward(61_000)
    await expect.poll(() => drawn(app)).toBe(before + 1)
  }, 60_000)

  it('keep the figures that they have when newer ones are refused, and say of when they are', async () => {
    const { app, page, frame } = await open()
    await app.locator('.chart canvas').waitFor()
    const before = await drawn(app)
    await page.route('**/api/stats?**', refuse)
    await write('not counted yet')
    const alert = app.locator('.charts').getByRole('alert')
    await alert.getByText('The figures below are from').waitFor(PATIENCE)
    expect([await alert.textContent(), await drawn(app)]).toEqual([
      expect.stringContaining('The database could not be reached.'),
      before,
    ])
    expect(await barriers(frame)).toEqual([])
    await app.locator('.charts').screenshot({ path: 'test-artifacts/charts-old.png' })
    // Of another time there are none, and the day's are not shown in their place.
    await app.getByLabel('Time', { exact: true }).selectOption('Last 7 days')
    await app.locator('.chart').waitFor({ state: 'detached' })
    expect(await alert.textContent()).not.toContain('The figures below')
    await page.unroute('**/api/stats?**')
    await alert.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => drawn(app)).toBe(before + 1)
    expect(await alert.count()).toBe(0)
  }, 60_000)

  it('say to load the page again when their script is gone, as after a deploy', async () => {
    const { app, page, frame, complaints } = await open((fresh) =>
      fresh.route('**/assets/hours-chart*', (route) => route.fulfill({ status: 404, body: 'gone' })),
    )
    const alert = app.locator('.charts').getByRole('alert')
    await alert.getByText('The chart could not be loaded').waitFor()
    expect(await app.locator('.chart').count()).toBe(0)
    // The figures are there in words.
    expect((await app.locator('table.hours').boundingBox())?.height).toBeGreaterThan(50)
    await app.locator('table.timings').first().waitFor()
    expect(complaints.filter((each) => each.includes('dynamically imported'))).toEqual([])
    expect(await barriers(frame)).toEqual([])
    await app.locator('.charts').screenshot({ path: 'test-artifacts/charts-missing.png' })
    await page.unroute('**/assets/hours-chart*')
    await alert.getByRole('button', { name: 'Load the page again' }).click()
    await app.getByText('Charts').click()
    await app.locator('.chart canvas').waitFor()
  }, 60_000)

  it('show what became of the messages, of the number and the time that are chosen, on both pages', async () => {
    for (const text of ['to the doctor', 'and again']) await write(text, SECOND)
    const contactId = contactOf(stage, locationId, ANA)
    const { messageId } = stage.ghl.agentReply({ locationId, contactId, message: 'An answer' })
    await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
    const counts = `/api/stats?from=${hoursAgo(24)}&to=${hoursAgo(-1)}&locationId=${locationId}`
    const { inbound } = (await (await stage.bridge.operator('GET', counts)).json()) as {
      inbound: { received: number }
    } // our own contract
    const all = inbound.received
    const { app, frame } = await open()
    for (const [name, where] of [
      ['location', app],
      ['figures', await openFigures(`figures/${locationId}`)],
    ] as const) {
      const charts = where.locator('.charts')
      const flow = async (step: string) =>
        await charts.locator('.funnel > div', { hasText: step }).first().locator('dd span').textContent()
      const flows = async () => [
        name,
        await flow('Received'),
        await flow('In GoHighLevel'),
        await flow('Delivered'),
      ]
      await expect.poll(flows).toEqual([name, `${all}`, `${all}`, '1'])
      const choice = charts.getByLabel('Number', { exact: true })
      await choice.selectOption('Doctor')
      // The answer went out by the number that Ana had written to last.
      await expect.poll(flows).toEqual([name, '2', '2', '1'])
      await choice.selectOption('Reception')
      await expect.poll(flows).toEqual([name, `${all - 2}`, `${all - 2}`, '0'])
      await charts.getByLabel('Time', { exact: true }).selectOption('Last 7 days')
      await charts.getByRole('heading', { name: 'Messages per 6 hours' }).waitFor()
      await expect.poll(flows).toEqual([name, `${all - 2}`, `${all - 2}`, '0'])
    }
    expect(await barriers(frame)).toEqual([])
    await app.locator('.charts').screenshot({ path: 'test-artifacts/charts-funnel.png' })
  }, 90_000)

  it('are of one location in the console’s figures when it is chosen, by name and by address', async () => {
    const other = stage.ghl.addLocation({ name: 'Another clinic' }).id
    await stage.install(other)
    const page = await openFigures()
    await page.locator('.chart').waitFor()
    await page.getByLabel('Only one location: name or id').fill('another')
    await page.getByRole('button', { name: 'Another clinic' }).click()
    await page.getByText('No messages in this time.').waitFor()
    await page.getByText('No message yet, and nothing is waiting.').waitFor()
    // The days of its own clock.
    await page.getByText('America/Sao Paulo').waitFor()
    expect(await barriers(page)).toEqual([])
    await browser.keep(page, 'figures-of-one')
    await page.getByRole('link', { name: 'Show all locations' }).click()
    await page.locator('.chart').waitFor()
  }, 60_000)

  it('tell a screen reader every hour that has messages, in words and not by the drawing alone', async () => {
    const { app } = await open()
    await app.locator('.chart canvas').waitFor()
    const table = app.getByRole('table', { name: 'Messages per hour; times without any are left out' })
    const cells = await table.locator('tbody td').allTextContents()
    expect(cells.reduce((sum, cell) => sum + Number(cell), 0)).toBe(await drawn(app))
    expect(await table.locator('tbody th').first().textContent()).toMatch(/\d+ [AP]M/)
    expect((await app.locator('.unseen').boundingBox())?.height).toBe(1)
  })
})
