import type { Tone } from './scan-engine.ts'

const key = 'tracseq:sounds'
let audio: AudioContext | null = null

/** One high tone for ok, two low ones for an error, one middle one for what needs a look. */
const tones: Readonly<Record<Tone, readonly { readonly hertz: number; readonly atMs: number }[]>> = {
  ok: [{ hertz: 1_568, atMs: 0 }],
  warn: [{ hertz: 659, atMs: 0 }],
  bad: [
    { hertz: 247, atMs: 0 },
    { hertz: 196, atMs: 150 },
  ],
}

export function areSoundsOn(): boolean {
  return localStorage.getItem(key) !== 'off'
}

export function turnSounds(on: boolean): void {
  localStorage.setItem(key, on ? 'on' : 'off')
}

/** Plays a result's tone; a machine without sound is silent, the line says it all anyway. */
export function playTone(tone: Tone): void {
  if (!areSoundsOn()) return
  audio ??= new AudioContext()
  const start = audio.currentTime
  for (const { hertz, atMs } of tones[tone]) {
    const oscillator = audio.createOscillator()
    const volume = audio.createGain()
    const from = start + atMs / 1_000
    oscillator.frequency.value = hertz
    volume.gain.setValueAtTime(0.12, from)
    volume.gain.exponentialRampToValueAtTime(0.001, from + 0.11)
    oscillator.connect(volume).connect(audio.destination)
    oscillator.start(from)
    oscillator.stop(from + 0.12)
  }
}
