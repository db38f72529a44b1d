/** How long the pages take to their first words, over loopback, in a browser that has never been here. */
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'
import { Stage } from '../sandbox/stage.ts'
import { type Measurement, percentile } from './measurement.ts'

const VISITS = 9
const BUDGET_MS = 200

export const firstPaint: Measurement = {
  name: 'first-paint',
  async run() {
    const stage = await Stage.set({ env: { LOG_LEVEL: 'warn' } })
    const browser = await playwright.launch({
      executablePath: await chromium.executablePath(),
      args: chromium.args,
      headless: true,
    })
    try {
      await stage.bridge.start()
      const location = stage.ghl.addLocation({ name: 'First paint' }).id
      await stage.install(location)
      const figures = []
      for (const path of ['/app', '/console', await pairingLink(stage, location)]) {
        const paints: number[] = []
        // The first visit warms the browser up, not its cache: each visitor has his own.
        for (let visit = 0; visit <= VISITS; visit += 1) {
          const page = await (await browser.newContext()).newPage()
          await page.addInitScript(`globalThis.firstWords = ${FIRST_WORDS}`)
          await page.goto(new URL(path, stage.bridge.url).href)
          const paintMs = await page.evaluate<number>('firstWords')
          if (visit > 0) paints.push(paintMs)
          // All visitors share this browser's one process: a page left open paints on during the next one's visit.
          await page.goto('about:blank')
        }
        const name = new URL(path, stage.bridge.url).pathname.split('/')[1] ?? ''
        const what = `first heading or field of ${name} painted, p50`
        figures.push({ what, value: percentile(paints, 0.5), unit: 'ms', budget: BUDGET_MS } as const)
      }
      return figures
    } finally {
      await browser.close()
      await stage.strike()
    }
  },
}

/** As the phone's owner gets it. */
async function pairingLink(stage: Stage, location: string): Promise<string> {
  const ask = async (path: string) =>
    (await (await stage.bridge.operator('POST', path, {})).json()) as Record<string, string> // our own contract
  const { session_id: session = '' } = await ask(`/ghl/location/${location}/session`)
  const { url = '' } = await ask(`/ghl/location/${location}/session/${session}/pairing-link`)
  return new URL(url).pathname
}

/**
 * Resolves with the milliseconds from the navigation's start until the page's own first heading or field has been painted; the
 * three dots before it are no words.
 */
const FIRST_WORDS = `new Promise((resolve) => {
  const look = () => {
    if (document.querySelector('h1, h2, input') === null) return requestAnimationFrame(look)
    // The frame after the next begins when this one was painted.
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())))
  }
  look()
})`
