/**
 * The program of voice-note.ts: where the sound is, what it is, where a converted one goes; one message out, then it ends.
 * Ends without a message for what shall not or cannot be a voice note.
 */
import { Decoder, Demuxer, Encoder, FilterAPI, Muxer } from 'node-av/api'
import { AV_CODEC_ID_OPUS, AV_DISPOSITION_ATTACHED_PIC, FF_ENCODER_LIBOPUS } from 'node-av/constants'
import type { Frame } from 'node-av/lib'

/** By type, never by what is found inside: some formats only name further files to open. */
const FORMATS: Readonly<Record<string, string>> = {
  'audio/ogg': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'mov',
  'audio/3gpp': 'mov',
  'audio/aac': 'aac',
  'audio/wav': 'wav',
  'audio/aiff': 'aiff',
  'audio/flac': 'flac',
  'audio/amr': 'amr',
  'audio/webm': 'matroska',
  'video/webm': 'matroska',
}
const MAX_SECONDS = 15 * 60
/** What WhatsApp itself records with: Opus takes this rate. */
const RATE = 48_000
const VOICE = `aformat=sample_fmts=flt:channel_layouts=mono:sample_rates=${RATE}`
const BARS = 64

const [, , given = '', type = '', converted = ''] = process.argv
const answer = await voiceNote()
if (answer !== undefined) process.send?.(answer)
process.disconnect()

async function voiceNote() {
  const format = FORMATS[type]
  if (format === undefined) return undefined
  await using input = await Demuxer.open(given, { format })
  const stream = input.audio()
  if (stream === undefined || isSong({ ...input.metadata, ...stream.metadata?.getAll() }) || isFilm(input))
    return undefined
  const loudness: number[] = []
  using decoder = await Decoder.create(stream)
  using filter = FilterAPI.create(VOICE)
  const samples = measured(filter.frames(decoder.frames(input.packets(stream.index))), loudness)
  const isVoice = format === 'ogg' && stream.codecpar.codecId === AV_CODEC_ID_OPUS
  await (isVoice ? exhausted(samples) : encode(samples))
  const seconds = Math.max(1, Math.round(loudness.length / 1_000))
  return { isConverted: !isVoice, seconds, waveform: barsOf(loudness) }
}

/** Nobody tags what he has just spoken with an artist or an album. */
function isSong(tags: Readonly<Record<string, string>>): boolean {
  return Object.entries(tags).some(
    ([name, value]) => ['artist', 'album'].includes(name.toLowerCase()) && value.trim() !== '',
  )
}

function isFilm(input: Demuxer): boolean {
  const film = input.video()
  return film !== undefined && (film.disposition & AV_DISPOSITION_ATTACHED_PIC) === 0
}

async function encode(frames: AsyncIterable<Frame | null>): Promise<void> {
  using encoder = await Encoder.create(FF_ENCODER_LIBOPUS, {
    context: { bitRate: 32_000 },
    options: { application: 'voip' },
  })
  await using output = await Muxer.open(converted, { format: 'ogg' })
  const track = output.addStream(encoder)
  for await (using packet of encoder.packets(frames)) await output.writePacket(packet, track)
}

async function exhausted(frames: AsyncIterable<Frame | null>): Promise<void> {
  for await (using _ of frames);
}

/** Passes sound on and notes how loud each millisecond of it is. */
async function* measured(
  frames: AsyncIterable<Frame | null>,
  loudness: number[],
): AsyncGenerator<Frame | null> {
  const perMs = RATE / 1_000
  let sum = 0
  let count = 0
  for await (const frame of frames) {
    const [plane] = frame?.data ?? []
    if (frame !== null && plane !== undefined) {
      for (let at = 0; at < frame.nbSamples; at += 1) {
        sum += Math.abs(plane.readFloatLE(at * 4))
        count += 1
        if (count === perMs) {
          loudness.push(sum)
          sum = 0
          count = 0
        }
      }
    }
    if (loudness.length > MAX_SECONDS * 1_000) throw new Error('too long for a voice note')
    yield frame
  }
}

/** The loudest part of the sound as 100. */
function barsOf(loudness: readonly number[]): number[] {
  const bars = Array.from({ length: BARS }, (_, bar) => {
    const part = loudness.slice(
      Math.floor((bar * loudness.length) / BARS),
      Math.floor(((bar + 1) * loudness.length) / BARS),
    )
    return part.reduce((sum, value) => sum + value, 0) / Math.max(1, part.length)
  })
  const loudest = Math.max(...bars)
  return bars.map((bar) => (loudest > 0 ? Math.round((bar / loudest) * 100) : 0))
}
