/** Sounds of every kind that agents attach: three seconds that grow louder, made by the library that the product reads with. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decoder, Demuxer, Encoder, FilterAPI, Muxer } from 'node-av/api'
import { FF_ENCODER_AAC, FF_ENCODER_FLAC, FF_ENCODER_LIBMP3LAME, FF_ENCODER_LIBOPUS } from 'node-av/constants'

const RATE = 48_000
const SECONDS = 3

const KINDS = {
  ogg: [FF_ENCODER_LIBOPUS, 'ogg'],
  mp3: [FF_ENCODER_LIBMP3LAME, 'mp3'],
  m4a: [FF_ENCODER_AAC, 'mp4'],
  aac: [FF_ENCODER_AAC, 'adts'],
  webm: [FF_ENCODER_LIBOPUS, 'webm'],
  flac: [FF_ENCODER_FLAC, 'flac'],
} as const

export async function sound(kind: keyof typeof KINDS | 'wav'): Promise<Buffer> {
  if (kind === 'wav') return wav()
  const folder = await mkdtemp(join(tmpdir(), 'sound-'))
  try {
    const [from, to] = [join(folder, 'from.wav'), join(folder, 'to')]
    await writeFile(from, wav())
    const [codec, format] = KINDS[kind]
    await transcode(from, to, codec, format)
    return await readFile(to)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function transcode(
  from: string,
  to: string,
  codec: (typeof KINDS)[keyof typeof KINDS][0],
  format: string,
): Promise<void> {
  await using input = await Demuxer.open(from)
  const stream = input.audio()
  if (stream === undefined) throw new Error('the WAV has no sound')
  using decoder = await Decoder.create(stream)
  const shape = format === 'flac' ? 's16' : codec === FF_ENCODER_LIBOPUS ? 'flt' : 'fltp'
  using filter = FilterAPI.create(`aformat=sample_fmts=${shape}`)
  using encoder = await Encoder.create(codec)
  await using output = await Muxer.open(to, { format })
  const track = output.addStream(encoder)
  for await (using packet of encoder.packets(filter.frames(decoder.frames(input.packets(stream.index)))))
    await output.writePacket(packet, track)
}

/** An MP3 of which its tag says who plays. */
export async function song(): Promise<Buffer> {
  const artist = Buffer.from('\0The Fillings', 'latin1')
  const frame = Buffer.concat([Buffer.from('TPE1'), Buffer.of(0, 0, 0, artist.length, 0, 0), artist])
  const tag = Buffer.concat([Buffer.from('ID3'), Buffer.of(3, 0, 0, 0, 0, 0, frame.length), frame])
  return Buffer.concat([tag, await sound('mp3')])
}

function wav(): Buffer {
  const samples = RATE * SECONDS
  const file = Buffer.alloc(44 + samples * 2)
  file.write('RIFF')
  file.writeUInt32LE(36 + samples * 2, 4)
  file.write('WAVEfmt ', 8)
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20)
  file.writeUInt16LE(1, 22)
  file.writeUInt32LE(RATE, 24)
  file.writeUInt32LE(RATE * 2, 28)
  file.writeUInt16LE(2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36)
  file.writeUInt32LE(samples * 2, 40)
  for (let at = 0; at < samples; at += 1)
    file.writeInt16LE(Math.round((at / samples) * 20_000 * Math.sin(at / 17)), 44 + at * 2)
  return file
}
