/** The streams that keep the pages live: what is said when one is refused, lost or only renewed, and what hidden pages leave to others. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { type OpenBrowser, openBrowser } from '../support/browser.ts'

const OWNER = '15550009999'
const DESK = { width: 1_280, height: 900 }
const REFUSAL = { error: { code: 'LOCATION_UNKNOWN', message: 'no such location' } }
const NOT_INSTALLED = 'The app is not installed in this location.'
/** Of a browser to one HTTP/1.1 server, for all its tabs. */
const CONNECTIONS = 6
const INTERRUPTED = 'The connection is interrupted'

describe('a live page', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string
  let sessionId: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    sessionId = await stage.pair(locationId, OWNER)
    browser = await openBrowser()
  }, 60_000)
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  async function open(prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
    const { page } = await browser.page(DESK)
    await prepare?.(page)
    await page.goto(`${stage.bridge.url}/app?location=${locationId}`)
    await page.getByText('I run this service').click()
    await page.getByLabel('Operator’s key').fill(stage.bridge.apiKey)
    await page.getByRole('button', { name: 'Let me in' }).click()
    return page
  }
  async function openConsole(prepare: (page: Page) => Promise<unknown>): Promise<Page> {
    const { page } = await browser.page(DESK)
    await prepare(page)
    await page.goto(`${stage.bridge.url}/console#/locations/${locationId}`)
    await page.getByLabel('Operator’s key').fill(stage.bridge.apiKey)
    await page.getByRole('button', { name: 'Open the console' }).click()
    return page
  }
  const events = () => `**/ghl/location/${locationId}/events`
  /** As its tab sees it: this Chromium shows every page. */
  const hide = (page: Page, isHidden: boolean) =>
    page.evaluate(`
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: '${isHidden ? 'hidden' : 'visible'}' })
      document.dispatchEvent(new Event('visibilitychange'))`)
  const isReady = (page: Page) => page.locator('.number[data-status=ready]').waitFor()

  it.each([
    ['console', openConsole],
    ['location page', open],
  ])('of the %s says why it was refused, and asks again when it is told to', async (name, openIt) => {
    let isRefused = true
    let asked = 0
    const page = await openIt((fresh) =>
      fresh.route(events(), (route) => {
        asked += 1
        return isRefused ? route.fulfill({ status: 404, json: REFUSAL }) : route.continue()
      }),
    )
    const alert = page.getByRole('alert').filter({ hasText: NOT_INSTALLED })
    await alert.waitFor()
    expect(await page.getByText('One moment…').count()).toBe(0)
    await browser.keep(page, `refused-${name.replace(' ', '-')}`)
    await alert.getByRole('button', { name: 'Try again' }).click()
    await expect.poll(() => asked).toBe(2)
    await alert.waitFor()
    isRefused = false
    await alert.getByRole('button', { name: 'Try again' }).click()
    await isReady(page)
    expect(await alert.count()).toBe(0)
  })

  it('of the console says when a location’s own stream does not come', async () => {
    let isThere = false
    const page = await openConsole((fresh) =>
      fresh.route(events(), (route) => (isThere ? route.continue() : route.fulfill({ status: 404 }))),
    )
    await page.getByText(INTERRUPTED).waitFor()
    isThere = true
    await isReady(page)
    await page.getByText(INTERRUPTED).waitFor({ state: 'hidden' })
  })

  it('leaves its connection to others while it is hidden, and shows what it missed when it is seen', async () => {
    const pages: Page[] = []
    for (let n = 0; n < CONNECTIONS; n++) {
      const page = await open((fresh) => fresh.clock.install())
      await isReady(page)
      await hide(page, true)
      pages.push(page)
    }
    for (const page of pages) await page.clock.fastForward(31_000)
    const seventh = await open()
    await isReady(seventh)
    const [first] = pages
    if (first === undefined) throw new Error('there is no first page')
    const path = `/ghl/location/${locationId}/session/${sessionId}`
    expect((await stage.bridge.operator('PATCH', path, { name: 'Front desk' })).status).toBe(200)
    await seventh.getByRole('heading', { name: 'Front desk' }).waitFor()
    expect(await first.getByRole('heading', { name: 'Front desk' }).count()).toBe(0)
    await hide(first, false)
    await first.getByRole('heading', { name: 'Front desk' }).waitFor()
    expect(await first.getByText(INTERRUPTED).count()).toBe(0)
  }, 90_000)
})
