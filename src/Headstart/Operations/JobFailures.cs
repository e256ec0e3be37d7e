namespace Headstart.Operations;

/// <summary>What ends the attempt of a job, for the log: a stack where it is a bug, a sentence where a database, a blob store or a disk is away.</summary>
internal static partial class JobFailures
{
    /// <param name="log">Of the job.</param>
    /// <param name="job">What it is to people, such as "Import".</param>
    /// <param name="id">Of its row.</param>
    /// <param name="exception">What it met.</param>
    public static void Note(ILogger log, string job, Guid id, Exception exception)
    {
        if (ExceptionProblems.Describe(exception) is { Status: StatusCodes.Status503ServiceUnavailable or StatusCodes.Status507InsufficientStorage, Type: var type })
        {
            Interrupted(log, job, id, type, exception.GetBaseException().Message);
        }
        else
        {
            Unexpected(log, job, id, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Job} {Id} was interrupted, {Type}: {Reason}")]
    private static partial void Interrupted(ILogger log, string job, Guid id, string type, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Job} {Id} met an unexpected error")]
    private static partial void Unexpected(ILogger log, string job, Guid id, Exception exception);
}
