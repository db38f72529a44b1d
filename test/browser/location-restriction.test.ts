/** A restriction whose end WhatsApp has named is over by itself: nobody who reads of it is asked for anything. */
import type { FrameLocator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { type OpenBrowser, openBrowser } from '../support/browser.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const DESK = { width: 1_280, height: 900, timezoneId: 'America/Sao_Paulo' }
const HOUR_S = 3_600

describe('a number that WhatsApp has restricted for an hour', () => {
  let stage: Stage
  let browser: OpenBrowser
  let locationId: string
  let sessionId: string
  let until: string

  beforeAll(async () => {
    stage = await Stage.set()
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    sessionId = await stage.pair(locationId, OWNER)
    browser = await openBrowser()
    stage.whatsapp.refuseLogins(OWNER, 402, HOUR_S)
    stage.whatsapp.disconnect(OWNER)
    await waitFor('the restriction', async () => (await session()).status === 'restricted', 30_000)
    until = new Date((await session()).problem?.until ?? '').toLocaleTimeString('en', {
      timeZone: DESK.timezoneId,
      hour: 'numeric',
      minute: '2-digit',
    })
  }, 90_000)
  afterAll(async () => {
    await browser.close()
    await stage.strike()
  })

  async function session() {
    const listed = await stage.bridge.operator('GET', `/ghl/location/${locationId}/session`)
    const { sessions } = (await listed.json()) as {
      sessions: { status: string; problem: { until: string | null } | null }[]
    } // our own contract
    const [only] = sessions
    if (only === undefined) throw new Error('the number is gone')
    return only
  }
  const words = () =>
    `WhatsApp has restricted this number for a while. Until ${until}. Nothing to do: it connects again by itself then.`
  async function openLocation(role: 'admin' | 'user'): Promise<FrameLocator> {
    const { page } = await browser.page(DESK)
    await page.goto(stage.customPage(locationId, role))
    await browser.keep(page, `restricted-${role}`)
    return page.frameLocator('iframe')
  }
  async function openLink(): Promise<Page> {
    const path = `/ghl/location/${locationId}/session/${sessionId}/pairing-link`
    const made = await stage.bridge.operator('POST', path)
    const { page } = await browser.page(DESK)
    await page.goto(((await made.json()) as { url: string }).url) // our own contract
    return page
  }

  it.each(['admin', 'user'] as const)('asks nothing of a visitor whose role is %s', async (role) => {
    const app = await openLocation(role)
    const card = app.locator('.number[data-status=restricted]')
    await card.waitFor()
    expect(await card.locator('.problem').textContent()).toBe(words())
    await card.locator('.state.busy').waitFor()
    expect(await card.getByRole('button', { name: 'Connect again' }).count()).toBe(0)
    expect(await card.getByText('An admin of this location must do it.').count()).toBe(0)
  })

  it('asks nothing of the phone’s owner', async () => {
    const page = await openLink()
    await page.getByText('Nothing to do: it connects again by itself then.').waitFor()
    expect(await page.locator('.problem').textContent()).toBe(words().replace(/ Nothing to do.*/, ''))
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0)
    await browser.keep(page, 'restricted-link')
  })

  it('is among those that reconnect, for the operator', async () => {
    const { page } = await browser.page(DESK)
    await page.goto(`${stage.bridge.url}/console#/locations`)
    await page.getByLabel('Operator’s key').fill(stage.bridge.apiKey)
    await page.getByRole('button', { name: 'Open the console' }).click()
    const place = page.locator(`[data-location="${locationId}"]`)
    await place.locator('.numbers-of .state.busy').waitFor()
    const filter = (name: string) => page.getByRole('button', { name, exact: false })
    await filter('Needs a person').click()
    await place.waitFor({ state: 'detached' })
    await filter('Reconnecting').click()
    await place.waitFor()
    await browser.keep(page, 'restricted-wall')
  })
})
