ALTER TABLE "custody_event" ADD COLUMN "acted_in_id" uuid;--> statement-breakpoint
ALTER TABLE "sample" ADD COLUMN "shipment_id" uuid;--> statement-breakpoint
ALTER TABLE "sample" ADD COLUMN "shipped_to" text;