/**
 * Sounds that agents attach become voice notes: Ogg with Opus, which is all that WhatsApp plays as one. Reading and
 * converting is done in a process of its own, without our secrets: what a stranger's file does to a decoder, in memory or
 * otherwise, ends with it.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { Turns } from './turns.ts'

export interface VoiceNote {
  /** The given file, or the converted one. */
  readonly path: string
  readonly seconds: number
  /** 64 values from 0 to 100. */
  readonly waveform: Uint8Array
}

const PROGRAM = fileURLToPath(new URL('voice-note-process.ts', import.meta.url))
const TIMEOUT_MS = 60_000
const MAX_HEAP_MIB = 128

const Answer = z.object({
  isConverted: z.boolean(),
  seconds: z.number().nonnegative(),
  waveform: z.array(z.number().int().min(0).max(100)).length(64),
})

/** Converting takes a whole processor: one at a time. */
const turns = new Turns()

/**
 * @param type MIME type, from the file's own bytes.
 * @param converted where the new file goes, if one is needed.
 * @returns `undefined` for what is no voice note (a song, a film, longer than 15 minutes) or cannot be converted here.
 */
export async function readVoiceNote(
  path: string,
  type: string,
  converted: string,
): Promise<VoiceNote | undefined> {
  const answer = await turns.take('voice note', () => run([path, type, converted]))
  if (answer === undefined) return undefined
  const { isConverted, seconds, waveform } = answer
  return { path: isConverted ? converted : path, seconds, waveform: Uint8Array.from(waveform) }
}

async function run(files: readonly string[]): Promise<z.output<typeof Answer> | undefined> {
  const child = fork(PROGRAM, files, {
    execArgv: [`--max-old-space-size=${MAX_HEAP_MIB}`],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  let answer: unknown
  child.on('message', (message) => {
    answer = message
  })
  try {
    await once(child, 'exit')
  } catch {
    return undefined
  }
  return Answer.safeParse(answer).data
}
