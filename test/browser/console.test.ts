/** The operator's console as the operator meets it: the key, the wall of locations, what needs him, what he does. */

import pg from 'pg'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { barriers, fits, type Look, type OpenBrowser, openBrowser } from '../support/browser.ts'
import { freshDatabase, type TestDatabase } from '../support/postgres.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const LATE = '15557770000'
const API_KEY = 'operator-key-of-the-console-test'
const DESK: Look = { width: 1_280, height: 900 }
const PLENTY = { max: 20_000, intervalMs: 10_000, perDay: 2_000_000, window: 'fixed' } as const

describe('the console', () => {
  let database: TestDatabase
  let stage: Stage
  let browser: OpenBrowser
  let dental: string

  beforeAll(async () => {
    database = await freshDatabase()
    stage = await Stage.set({
      env: { API_KEY, DATABASE_URL: database.url },
      ghl: { rateLimit: PLENTY },
    })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    dental = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(dental)
    await stage.pair(dental, OWNER)
    browser = await openBrowser()
  })
  afterEach(() => browser.clear())
  afterAll(async () => {
    await browser.close()
    await stage.strike()
    await database.drop()
  })

  const show = async (page: Page, key: string) => {
    await page.getByLabel('Operator’s key').fill(key)
    await page.getByRole('button', { name: 'Open the console' }).click()
  }
  async function open(place = 'locations', look: Look = DESK) {
    const watched = await browser.page(look)
    await watched.page.goto(`${stage.bridge.url}/console#/${place}`)
    await show(watched.page, API_KEY)
    await watched.page.getByRole('navigation', { name: 'Parts of the console' }).waitFor()
    return watched
  }
  const go = (page: Page, name: string) =>
    page.getByRole('navigation', { name: 'Parts of the console' }).getByRole('link', { name }).click()
  async function sql(text: string, values: unknown[] = []): Promise<void> {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      await client.query(text, values)
    } finally {
      await client.end()
    }
  }
  const healthOf = (page: Page, id: string) =>
    page.locator(`[data-location="${id}"]`).getAttribute('data-health')

  it('lets nobody in with a wrong key, makes guessing slow, and the operator in after it', async () => {
    const { page } = await browser.page(DESK)
    await page.goto(`${stage.bridge.url}/console`)
    await page.getByLabel('Operator’s key').waitFor()
    await browser.keep(page, 'console-door')
    await show(page, 'a-wrong-key')
    await page.getByText('This is not the operator’s key.').waitFor()
    for (let n = 0; n < 4; n++) {
      const guess = await fetch(`${stage.bridge.url}/api/console/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ apiKey: `guess-${n}` }),
      })
      expect(guess.status).toBe(401)
      expect(await guess.json()).toMatchObject({ error: { code: 'CONSOLE_KEY_WRONG' } })
    }
    await show(page, API_KEY)
    await page.getByText('That was too often').waitFor()
    expect(await page.getByRole('navigation').count()).toBe(0)
    await expect
      .poll(
        async () => {
          const enter = page.getByRole('button', { name: 'Open the console' })
          if (await enter.isVisible()) await enter.click()
          return await page.getByRole('link', { name: 'Dental Care' }).count()
        },
        { timeout: 15_000, interval: 1_100 },
      )
      .toBe(1)
    // The key is gone with the page.
    await page.reload()
    await page.getByLabel('Operator’s key').waitFor()
    expect(await page.evaluate('JSON.stringify([{...sessionStorage}, {...localStorage}])')).not.toContain(
      API_KEY,
    )
  })

  it('heals an expired token, from the location that shows it', async () => {
    stage.ghl.tokens.expireAccess(dental)
    await sql(
      `update bridge.ghl_accounts set token_expires_at = now() - interval '1 hour' where location_id = $1`,
      [dental],
    )
    const { page, complaints } = await open()
    expect(await healthOf(page, dental)).toBe('expired')
    await page.getByRole('button', { name: /^Token expired/ }).click()
    await page.getByRole('link', { name: 'Dental Care' }).click()
    await page.locator('section.card').getByText('Token expired').waitFor()
    await browser.keep(page, 'console-location')
    await page.getByRole('button', { name: 'Refresh its tokens' }).click()
    await page.getByText('Tokens well').waitFor()
    await page.getByRole('heading', { name: 'Numbers' }).waitFor()
    expect(complaints).toEqual([])
  })

  it('shows first what a refresh of all would do, then does it', async () => {
    await sql(`update bridge.ghl_accounts set token_expires_at = now() + interval '30 minutes'`)
    const { page } = await open()
    await page.getByRole('button', { name: 'Refresh tokens' }).click()
    await page.getByText('1 installation would get new tokens.').waitFor()
    expect(stage.ghl.calls({ route: 'POST /oauth/token' }).length).toBeGreaterThan(0)
    const before = stage.ghl.calls({ route: 'POST /oauth/token' }).length
    await page.getByRole('button', { name: 'Refresh them now' }).click()
    await page.getByText('1 installation has new tokens.').waitFor()
    expect(stage.ghl.calls({ route: 'POST /oauth/token' }).length).toBe(before + 1)
    await page.getByRole('button', { name: 'Close' }).click()
    await expect.poll(() => healthOf(page, dental)).toBe('healthy')
  })

  it('finds a dead letter of any location and sends it again', async () => {
    const contactId = stage.ghl.contacts.add(dental, { phone: `+${LATE}` }).id
    const { messageId } = stage.ghl.agentReply({ locationId: dental, contactId, message: 'Are you there?' })
    const { page, complaints } = await open('messages')
    const letter = page.locator(`[data-message="${messageId}"]`)
    await letter.getByText('This number is not on WhatsApp.').waitFor()
    await letter.getByRole('link', { name: 'Dental Care' }).waitFor()
    await browser.keep(page, 'console-letters')
    stage.whatsapp.addAccount({ phone: LATE, name: 'Late' })
    await letter.getByRole('button', { name: 'Try again' }).click()
    await stage.whatsapp.waitForMessage(LATE, ({ text }) => text === 'Are you there?', 20_000)
    await letter.waitFor({ state: 'detached' })
    await page.getByText('Nothing needs you.').waitFor()
    expect(complaints).toEqual([])
  })

  it('makes a service key that is shown once and works, and revokes it', async () => {
    const { page } = await open('keys')
    await page.getByText('No key yet.').waitFor()
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Reports')
    await page.getByLabel('locations:read').check()
    await page.getByRole('button', { name: 'Make the key' }).click()
    const key = await page.getByLabel('The new key').inputValue()
    await browser.keep(page, 'console-key')
    const use = async () =>
      (await fetch(`${stage.bridge.url}/api/ghl/locations`, { headers: { authorization: `Bearer ${key}` } }))
        .status
    expect(await use()).toBe(200)
    await page.getByRole('button', { name: 'Close' }).click()
    await page.locator('[data-key="Reports"]').getByText('locations:read').waitFor()
    expect(await page.content()).not.toContain(key)
    await page.getByRole('button', { name: 'Revoke Reports' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByText('No key yet.').waitFor()
    expect(await use()).toBe(401)
    await go(page, 'Audit')
    await page.getByText('Operator: Revoke the service key Reports').waitFor()
  })

  it('says piece by piece what is set up', async () => {
    const { page } = await open('setup')
    for (const name of ['App credentials', 'A location can be read', 'Agents’ messages arrive']) {
      await page.locator('[data-check=ok]').filter({ hasText: name }).waitFor()
    }
    // Nobody has opened a page inside GHL yet: that is neither right nor wrong.
    await page.locator('[data-check=wait]').filter({ hasText: 'Shared secret' }).waitFor()
    await page.locator('[data-check=ok]').filter({ hasText: 'Postgres' }).waitFor()
    // A loopback address works here and nowhere else.
    await page.locator('[data-check=look]').filter({ hasText: 'GoHighLevel cannot reach it' }).waitFor()
    expect(await page.getByLabel('Webhook URL').inputValue()).toBe(`${stage.bridge.url}/ghl/webhook`)
    await browser.keep(page, 'console-setup')
  })

  it('lets in an operator whose clock is two hours fast, and does not ask again', async () => {
    const { page } = await browser.page(DESK)
    await page.addInitScript('const now = Date.now; Date.now = () => now() + 7_200_000')
    await page.goto(`${stage.bridge.url}/console`)
    await show(page, API_KEY)
    await page.getByRole('link', { name: 'Dental Care' }).waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  it('asks for the key again when the hour is over, and goes on where it was', async () => {
    const { page } = await open()
    await page.getByRole('link', { name: 'Dental Care' }).waitFor()
    let isOver = true
    await page.route('**/api/**', async (route) => {
      if (isOver && !route.request().url().endsWith('/session'))
        await route.fulfill({ status: 401, body: '{}' })
      else await route.continue()
    })
    // Refusals right after the key was shown are stragglers of the token before.
    await page.waitForTimeout(5_100)
    await go(page, 'Audit')
    await page.getByRole('dialog', { name: 'The hour is over' }).waitFor()
    isOver = false
    await show(page, API_KEY)
    await page.getByText('Operator: Open the console').first().waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  it('hears of a number that was unlinked, also after the connection was gone', async () => {
    const { page } = await open()
    const row = page.locator(`[data-location="${dental}"]`)
    await row.locator('.numbers-of .good').waitFor()
    await stage.bridge.stop()
    await page.getByText('The connection is interrupted').waitFor()
    await stage.bridge.start()
    await page.getByText('The connection is interrupted').waitFor({ state: 'hidden' })
    stage.whatsapp.unlink(OWNER)
    await row.getByText('Not connected').waitFor()
    await row.getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Pairing links' }).click()
    await page.getByRole('button', { name: 'Make the links' }).click()
    const link = await page.getByRole('dialog').getByLabel('Dental Care').inputValue()
    expect((await fetch(link)).status).toBe(200)
    expect(await barriers(page)).toEqual([])
  }, 90_000)

  it('syncs an agency’s sub-accounts and shows how far it is', async () => {
    for (let n = 0; n < 30; n++) stage.ghl.addLocation({ name: `Branch ${n}` })
    stage.ghl.setWebhookUrl(null)
    stage.ghl.bulkInstall()
    await installAsAgency()
    for (let n = 30; n < 60; n++) stage.ghl.addLocation({ name: `Branch ${n}` })
    stage.ghl.bulkInstall()
    stage.ghl.faults.add({
      route: 'POST /oauth/locationToken',
      times: 30,
      effect: { kind: 'delay', ms: 250 },
    })
    const { page, complaints } = await open()
    await page.getByRole('button', { name: 'Sync sub-accounts' }).click()
    const run = page.getByRole('dialog').locator('[data-sync]')
    await run.getByText('Running').waitFor()
    await run.getByText(/^([1-9]|[1-5][0-9]) of 61/).waitFor()
    await browser.keep(page, 'console-sync-running')
    await page.getByRole('dialog').locator('[data-sync=done]').waitFor({ timeout: 60_000 })
    await run.getByText('61 of 61').first().waitFor()
    await browser.keep(page, 'console-sync')
    await page.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('link', { name: 'Branch 42' }).waitFor()
    expect(complaints).toEqual([])
  }, 90_000)

  it('makes one number for a location that has none, however often links are asked for', async () => {
    const bare = stage.ghl.addLocation({ name: 'Bare' }).id
    await stage.install(bare)
    const statuses = async () => {
      const answer = await stage.bridge.operator('GET', `/api/ghl/locations?locationId=${bare}`)
      const { locations } = (await answer.json()) as { locations: { sessions: { status: string }[] }[] } // our own contract
      return locations[0]?.sessions.map(({ status }) => status)
    }
    const { page } = await open()
    await page.locator(`[data-location="${bare}"]`).getByRole('checkbox').check()
    for (let n = 0; n < 3; n++) {
      await page.getByRole('button', { name: 'Pairing links' }).click()
      await page.getByRole('button', { name: 'Make the links' }).click()
      await page.getByRole('dialog').getByLabel('Bare').waitFor()
      await page.getByRole('dialog').getByRole('button', { name: 'Copy' }).last().click()
      await page.getByRole('button', { name: 'Close' }).click()
      // Links are for numbers that can be scanned by now.
      await expect.poll(statuses).toEqual(['qr'])
    }
  })

  it('deactivates a location after a question, and activates it again', async () => {
    const { page, complaints } = await open(`locations/${dental}`)
    await page.getByRole('button', { name: 'Deactivate' }).click()
    expect(await barriers(page)).toEqual([])
    await page.getByRole('button', { name: 'Deactivate it' }).click()
    await page.locator('section.card').getByText('Deactivated', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Activate', exact: true }).click()
    await page.locator('section.card').getByText('Tokens well').waitFor()
    expect(complaints).toEqual([])
  })

  it('shows an agency that needs reconnecting, and names it where it cannot be asked', async () => {
    await sql(`update bridge.ghl_accounts set status = 'needs_reconnect' where user_type = 'Company'`)
    const { page } = await open()
    const agency = page.locator('[data-agency]')
    await agency.getByText('Needs reconnecting').waitFor()
    await agency.getByRole('link', { name: /^Reconnect / }).waitFor()
    await page.getByRole('button', { name: 'Sync sub-accounts' }).click()
    await page
      .getByRole('dialog')
      .getByText(/^Not asked, because they need reconnecting/)
      .waitFor()
    await sql(`update bridge.ghl_accounts set status = 'active' where user_type = 'Company'`)
  })

  it('shows all agencies, a page of them at a time, and how many of them a sync leaves out', async () => {
    await sql(
      `insert into bridge.ghl_accounts (id, company_id, user_type, status, scopes, company_name, access_token,
         refresh_token, token_expires_at)
       select 'agency-' || n, 'company-' || n, 'Company', case when n > 60 then 'needs_reconnect' else status end, scopes,
         'Agency ' || n, access_token, refresh_token, now() + interval '20 hours'
       from bridge.ghl_accounts, generate_series(1, 120) n where user_type = 'Company'`,
    )
    const { page } = await open()
    const seen = new Set<string>()
    const strip = page.getByRole('list', { name: 'Agencies' })
    const pages = page.getByRole('navigation', { name: 'Pages' }).first()
    await pages.getByText('121 agencies').waitFor()
    for (const many of [50, 100, 121]) {
      await expect
        .poll(async () => {
          for (const name of await strip.locator('strong').allTextContents()) seen.add(name)
          return seen.size
        })
        .toBe(many)
      if (many < 121) await pages.getByRole('button', { name: 'Next' }).click()
    }
    expect(await pages.getByRole('button', { name: 'Next' }).isDisabled()).toBe(true)
    expect(await barriers(page)).toEqual([])
    await page.getByRole('button', { name: 'Sync sub-accounts' }).click()
    await page.getByRole('dialog').getByText('And 10 more.').waitFor()
    await sql(`delete from bridge.ghl_accounts where id like 'agency-%'`)
  })

  it('says why figures cannot be shown, and tries again', async () => {
    const { page } = await open('setup')
    const refusal = { error: { code: 'STORE_UNAVAILABLE', message: 'no', action: null } }
    await page.route('**/api/stats?**', async (route) => {
      await route.fulfill({ status: 503, json: refusal })
    })
    await go(page, 'Figures')
    const chart = page.locator('.charts').getByRole('alert')
    await chart.waitFor()
    expect(await barriers(page)).toEqual([])
    await page.unroute('**/api/stats?**')
    await chart.getByRole('button', { name: 'Try again' }).click()
    await chart.waitFor({ state: 'detached' })
  })

  it('finds one among a thousand locations, and pages through them', async () => {
    await sql(
      `insert into bridge.ghl_accounts (id, location_id, company_id, user_type, status, scopes, location_name,
         company_name, access_token, refresh_token, token_expires_at)
       select 'inst-' || n, 'many-' || n, company_id, user_type, status, scopes, 'Clinic ' || lpad(n::text, 4, '0'),
         'Agency of many', access_token, refresh_token, now() + interval '20 hours'
       from bridge.ghl_accounts, generate_series(1, 1000) n where location_id = $1`,
      [dental],
    )
    const { page } = await open()
    await page.getByText(/^1,0\d\d locations$/).waitFor()
    const first = await page.locator('[data-location]').first().getAttribute('data-location')
    await browser.keep(page, 'console-wall')
    await page.getByRole('button', { name: 'Next' }).click()
    await expect
      .poll(() => page.locator('[data-location]').first().getAttribute('data-location'))
      .not.toBe(first)
    await page.getByRole('button', { name: 'Back' }).click()
    await page.locator(`[data-location="${first}"]`).waitFor()
    await page.getByRole('searchbox').fill('clinic 0777')
    await page.getByText('1 location', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Clinic 0777' }).waitFor()
    await page.getByRole('searchbox').fill('no such clinic')
    await page.getByText('No location is like that.').waitFor()
    await page.getByRole('searchbox').fill('')
    await page.getByRole('button', { name: /^Needs a scan/ }).click()
    await page.getByRole('searchbox').fill('dental')
    await page.getByText('1 location', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Dental Care' }).waitFor()
    // The wall is as it was left after a look at a location, with what was ticked.
    await page.getByRole('button', { name: 'Choose the 1 shown' }).click()
    await page.getByRole('link', { name: 'Dental Care' }).click()
    await page.locator('#installation').waitFor()
    expect(await page.title()).toContain('Locations')
    await page.goBack()
    await page.getByText('1 location', { exact: true }).waitFor()
    expect(await page.getByRole('checkbox', { name: 'Choose Dental Care' }).isChecked()).toBe(true)
    await page.getByRole('searchbox').fill('')
    await page.getByRole('button', { name: /^Any numbers/ }).click()
    await page.getByRole('button', { name: /^Choose all 1,0/ }).click()
    await page.getByText(/^1,0\d\d chosen$/).waitFor()
  })

  it.each(['light', 'dark'] as const)(
    'has no barrier and fits a phone, in %s',
    async (colorScheme) => {
      const { page } = await open('locations', { width: 360, height: 740, colorScheme })
      await page.locator('[data-location]').first().waitFor()
      for (const [name, shown] of [
        ['Locations', '[data-location]'],
        ['Messages', '#letters'],
        ['Figures', '#today'],
        ['Long work', '[data-sync]'],
        ['GHL events', '#events'],
        ['Audit', 'ul.audit'],
        ['Service keys', '#keys'],
        ['Setup', '[data-check]'],
      ] as const) {
        await go(page, name)
        await page.locator(shown).first().waitFor()
        expect([name, await fits(page)]).toEqual([name, true])
        expect([name, await barriers(page)]).toEqual([name, []])
        await browser.keep(page, `console-phone-${colorScheme}-${name.toLowerCase().replace(' ', '-')}`)
      }
    },
    90_000,
  )

  it('lets its token do what the operator may, for an hour and to nobody else', async () => {
    const answer = await fetch(`${stage.bridge.url}/api/console/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiKey: API_KEY }),
    })
    const { token, expiresAt } = (await answer.json()) as { token: string; expiresAt: string } // our own contract
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(60 * 60_000)
    const use = async (bearer: string) =>
      (await fetch(`${stage.bridge.url}/api/keys`, { headers: { authorization: `Bearer ${bearer}` } })).status
    expect(await use(token)).toBe(200)
    expect(await use(`${token.slice(0, -2)}AA`)).toBe(401)
  })

  async function installAsAgency(): Promise<void> {
    const begun = await fetch(`${stage.bridge.url}/oauth/install`, { redirect: 'manual' })
    const choose = new URL(begun.headers.get('location') ?? '')
    choose.searchParams.set('company', '1')
    choose.searchParams.set('approve', '1')
    const answer = await fetch(choose)
    expect(answer.status).toBe(200)
    // The install begins a sync of its own.
    await waitFor(
      'the first sync',
      async () => {
        const status = await stage.bridge.operator('GET', '/api/sync/status?kind=installations')
        const { syncs } = (await status.json()) as { syncs: { state: string }[] } // our own contract
        return syncs.length > 0 && syncs.every(({ state }) => state === 'done')
      },
      60_000,
    )
  }
})
