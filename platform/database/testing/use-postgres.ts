import { inject } from 'vitest'

// Runs in each test process of the project `postgres`, and in no other: what those tests open is on its server.
process.env['TRACSEQ_TEST_POSTGRES'] = inject('postgresUrl')
