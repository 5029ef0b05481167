package telemetry

import (
	"math"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// Netflix' words, their types and their meaning, after Hystrix 1.5's
// SerialHystrixDashboardData: counts are of the last 10 s, times are whole
// milliseconds.

// commandEvent is the state of a command.
//
// What Hystrix calls a semaphore is the bulkhead: runs are on their callers'
// goroutines. A bad request is an answer that was its caller's fault. As Hystrix
// has it, requestCount and errorCount hold what failed, had its time or found the
// bulkhead full, but no short-circuited run and no bad request. A stale copy and a
// default are fallbacks that succeeded; none fails or is rejected. An exception
// was thrown when there was nothing to show.
type commandEvent struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	Group       string `json:"group"` // the service
	CurrentTime int64  `json:"currentTime"`

	IsCircuitBreakerOpen bool   `json:"isCircuitBreakerOpen"`
	ErrorPercentage      uint64 `json:"errorPercentage"`
	ErrorCount           uint64 `json:"errorCount"`
	RequestCount         uint64 `json:"requestCount"`

	BadRequests        uint64 `json:"rollingCountBadRequests"`
	CollapsedRequests  uint64 `json:"rollingCountCollapsedRequests"`
	Emit               uint64 `json:"rollingCountEmit"` // of streams of many values, which no command is
	ExceptionsThrown   uint64 `json:"rollingCountExceptionsThrown"`
	Failure            uint64 `json:"rollingCountFailure"`
	FallbackEmit       uint64 `json:"rollingCountFallbackEmit"`
	FallbackFailure    uint64 `json:"rollingCountFallbackFailure"`
	FallbackRejection  uint64 `json:"rollingCountFallbackRejection"`
	FallbackSuccess    uint64 `json:"rollingCountFallbackSuccess"`
	ResponsesFromCache uint64 `json:"rollingCountResponsesFromCache"`
	SemaphoreRejected  uint64 `json:"rollingCountSemaphoreRejected"`
	ShortCircuited     uint64 `json:"rollingCountShortCircuited"`
	Success            uint64 `json:"rollingCountSuccess"`
	ThreadPoolRejected uint64 `json:"rollingCountThreadPoolRejected"`
	Timeout            uint64 `json:"rollingCountTimeout"`

	ConcurrentExecutionCount    int64 `json:"currentConcurrentExecutionCount"`
	MaxConcurrentExecutionCount int64 `json:"rollingMaxConcurrentExecutionCount"`

	LatencyExecuteMean int64       `json:"latencyExecute_mean"`
	LatencyExecute     percentiles `json:"latencyExecute"`
	LatencyTotalMean   int64       `json:"latencyTotal_mean"`
	LatencyTotal       percentiles `json:"latencyTotal"`

	properties

	ReportingHosts int    `json:"reportingHosts"` // Turbine sums it up over replicas
	ThreadPool     string `json:"threadPool"`
}

// properties are the policy of a command.
type properties struct {
	CircuitVolume       int     `json:"propertyValue_circuitBreakerRequestVolumeThreshold"`
	CircuitSleep        int64   `json:"propertyValue_circuitBreakerSleepWindowInMilliseconds"`
	CircuitErrorPercent int     `json:"propertyValue_circuitBreakerErrorThresholdPercentage"`
	CircuitForceOpen    bool    `json:"propertyValue_circuitBreakerForceOpen"`
	CircuitForceClosed  bool    `json:"propertyValue_circuitBreakerForceClosed"`
	CircuitEnabled      bool    `json:"propertyValue_circuitBreakerEnabled"`
	Isolation           string  `json:"propertyValue_executionIsolationStrategy"`
	ThreadTimeout       int64   `json:"propertyValue_executionIsolationThreadTimeoutInMilliseconds"`
	Timeout             int64   `json:"propertyValue_executionTimeoutInMilliseconds"`
	InterruptOnTimeout  bool    `json:"propertyValue_executionIsolationThreadInterruptOnTimeout"`
	PoolOverride        *string `json:"propertyValue_executionIsolationThreadPoolKeyOverride"` // null
	MaxConcurrent       int     `json:"propertyValue_executionIsolationSemaphoreMaxConcurrentRequests"`
	MaxFallbacks        int     `json:"propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests"` // they have no limit
	Window              int64   `json:"propertyValue_metricsRollingStatisticalWindowInMilliseconds"`
	RequestCache        bool    `json:"propertyValue_requestCacheEnabled"` // one request asks once
	RequestLog          bool    `json:"propertyValue_requestLogEnabled"`
}

// poolEvent is the state of a command's bulkhead, in the words of a pool of
// threads: each command has its own, and none has a queue.
type poolEvent struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	CurrentTime int64  `json:"currentTime"`

	ActiveCount        int64  `json:"currentActiveCount"`
	CompletedTaskCount uint64 `json:"currentCompletedTaskCount"`
	CorePoolSize       int    `json:"currentCorePoolSize"`
	LargestPoolSize    int    `json:"currentLargestPoolSize"`
	MaximumPoolSize    int    `json:"currentMaximumPoolSize"`
	PoolSize           int    `json:"currentPoolSize"`
	QueueSize          int    `json:"currentQueueSize"`
	TaskCount          uint64 `json:"currentTaskCount"`
	ThreadsExecuted    uint64 `json:"rollingCountThreadsExecuted"`
	MaxActiveThreads   int64  `json:"rollingMaxActiveThreads"`
	CommandRejections  uint64 `json:"rollingCountCommandRejections"`

	QueueSizeRejectionThreshold int   `json:"propertyValue_queueSizeRejectionThreshold"`
	Window                      int64 `json:"propertyValue_metricsRollingStatisticalWindowInMilliseconds"`
	ReportingHosts              int   `json:"reportingHosts"`
}

// percentiles are times in milliseconds, at what Netflix asks for.
type percentiles struct {
	P0   int64 `json:"0"`
	P25  int64 `json:"25"`
	P50  int64 `json:"50"`
	P75  int64 `json:"75"`
	P90  int64 `json:"90"`
	P95  int64 `json:"95"`
	P99  int64 `json:"99"`
	P995 int64 `json:"99.5"`
	P100 int64 `json:"100"`
}

func percentilesOf(l command.Latency) percentiles {
	ms := make([]int64, 9)
	for i, d := range l.At {
		ms[i] = millis(d)
	}
	return percentiles{ms[0], ms[1], ms[2], ms[3], ms[4], ms[5], ms[6], ms[7], ms[8]}
}

func millis(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }

// windowMillis is what counts and latencies look back on.
const windowMillis = 10_000

// eventsOf reads a command and tells of it, and of its bulkhead.
func eventsOf(control *command.Control, now time.Time) [2]any {
	recent := control.Recent(0, 25, 50, 75, 90, 95, 99, 99.5, 100)
	stats, policy := control.Stats(), control.Policy()
	recent.Busiest = max(recent.Busiest, stats.InFlight)
	return [2]any{commandOf(control, &stats, &policy, &recent, now), poolOf(&stats, &recent, now)}
}

func commandOf(
	control *command.Control, stats *command.Stats, policy *command.Policy, recent *command.Recent, now time.Time,
) *commandEvent {
	runs, answers := &recent.Runs, &recent.Answers
	e := &commandEvent{
		Type: "HystrixCommand", Name: stats.Name, Group: serviceOf(control), CurrentTime: now.UnixMilli(),
		IsCircuitBreakerOpen:        isOpen(stats),
		BadRequests:                 runs[report.CallerFault],
		CollapsedRequests:           recent.Collapsed,
		ExceptionsThrown:            answers[report.Missing],
		Failure:                     runs[report.Failure],
		FallbackSuccess:             answers[report.Stale] + answers[report.Default],
		ResponsesFromCache:          answers[report.Cached],
		SemaphoreRejected:           runs[report.Rejected],
		ShortCircuited:              runs[report.ShortCircuited],
		Success:                     runs[report.Success],
		Timeout:                     runs[report.TimedOut],
		ConcurrentExecutionCount:    stats.InFlight,
		MaxConcurrentExecutionCount: recent.Busiest,
		LatencyExecuteMean:          millis(recent.Execute.Mean),
		LatencyExecute:              percentilesOf(recent.Execute),
		LatencyTotalMean:            millis(recent.Total.Mean),
		LatencyTotal:                percentilesOf(recent.Total),
		properties:                  propertiesOf(policy, stats.Circuit),
		ReportingHosts:              1,
		ThreadPool:                  stats.Name,
	}
	e.ErrorCount = e.Failure + e.Timeout + e.SemaphoreRejected
	e.RequestCount = e.Success + e.ErrorCount
	if e.RequestCount > 0 {
		e.ErrorPercentage = 100 * e.ErrorCount / e.RequestCount
	}
	return e
}

func propertiesOf(p *command.Policy, circuit string) properties {
	return properties{
		CircuitVolume:       p.Circuit.Volume,
		CircuitSleep:        p.Circuit.Sleep.Milliseconds(),
		CircuitErrorPercent: p.Circuit.ErrorPercent,
		CircuitForceOpen:    circuit == command.ForcedOpen.String(),
		CircuitForceClosed:  circuit == command.ForcedClosed.String(),
		CircuitEnabled:      p.Mode == command.Enforce,
		Isolation:           "SEMAPHORE",
		ThreadTimeout:       p.Timeout.Milliseconds(),
		Timeout:             p.Timeout.Milliseconds(),
		InterruptOnTimeout:  true,
		MaxConcurrent:       p.MaxConcurrent,
		MaxFallbacks:        math.MaxInt32,
		Window:              windowMillis,
		RequestCache:        true,
	}
}

func poolOf(stats *command.Stats, recent *command.Recent, now time.Time) *poolEvent {
	size := stats.MaxConcurrent
	e := &poolEvent{
		Type: "HystrixThreadPool", Name: stats.Name, CurrentTime: now.UnixMilli(),
		ActiveCount: stats.InFlight, MaxActiveThreads: recent.Busiest,
		CorePoolSize: size, LargestPoolSize: size, MaximumPoolSize: size, PoolSize: size,
		CommandRejections: recent.Runs[report.Rejected],
		Window:            windowMillis, ReportingHosts: 1,
	}
	for _, o := range report.Outcomes() {
		if o == report.Rejected || o == report.ShortCircuited || o == report.OutOfBudget { // none was made
			continue
		}
		e.CompletedTaskCount += stats.Outcomes[o.String()]
		e.ThreadsExecuted += recent.Runs[o]
	}
	e.TaskCount = e.CompletedTaskCount + uint64(max(stats.InFlight, 0))
	return e
}
