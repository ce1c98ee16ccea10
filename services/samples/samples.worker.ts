import { serveDomain } from '../../platform/service/serve-domain.ts'
import { samplesService } from './service.ts'

serveDomain(samplesService)
